import { element } from './dom.ts';

const listeners: (() => void)[] = [];
const system = matchMedia('(prefers-color-scheme: dark)');

/** Calls back whenever the page turns light or dark. */
export const onThemeChange = (listener: () => void): void => void listeners.push(listener);

const changed = () => {
  for (const listener of listeners) listener();
};
system.addEventListener('change', changed);

/** A colour of the page's style sheet, such as `--text`, as it is now. */
export const themeColour = (name: string): string =>
  getComputedStyle(document.body).getPropertyValue(name).trim();

export const isDark = (): boolean =>
  (document.documentElement.dataset['theme'] ?? (system.matches ? 'dark' : 'light')) === 'dark';

/** Okabe and Ito's palette (2008), a little lighter on dark paper; told apart with any kind of colour vision. */
export const palette = (): string[] =>
  isDark()
    ? ['#56b4e9', '#e69f00', '#2fc79c', '#e39bc4', '#f0e442', '#ff8a4c', '#9aa7ff', '#bbbbbb']
    : ['#0072b2', '#d55e00', '#009e73', '#b2558f', '#b07a00', '#3f8fc4', '#5a4fcf', '#555555'];

export const themeButton = (): HTMLButtonElement => {
  const button = element('button', {
    type: 'button',
    onclick: () => {
      document.documentElement.dataset['theme'] = isDark() ? 'light' : 'dark';
      label();
      changed();
    },
  });
  const label = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colours`);
  };
  label();
  return button;
};
