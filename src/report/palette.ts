/**
 * Okabe and Ito's palette (2008), which any kind of colour vision can distinguish: `light` is darker where white paper
 * needs it, `dark` lighter for black paper, and `both` serves a picture that may be shown on either.
 */
export const palettes = {
  both: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'],
  light: ['#0072b2', '#d55e00', '#009e73', '#b2558f', '#b07a00', '#3f8fc4', '#5a4fcf', '#555555'],
  dark: ['#56b4e9', '#e69f00', '#2fc79c', '#e39bc4', '#f0e442', '#ff8a4c', '#9aa7ff', '#bbbbbb'],
} as const;
