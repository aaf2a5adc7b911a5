import { palettes } from '../palette.ts';
import { element } from './dom.ts';

const listeners: (() => void)[] = [];
const system = matchMedia('(prefers-color-scheme: dark)');

/** Calls back whenever the page turns light or dark. */
export const onThemeChange = (listener: () => void): void => void listeners.push(listener);

/** A colour of the page's style sheet, such as `--text`, as it is now. */
export const themeColour = (name: string): string =>
  getComputedStyle(document.body).getPropertyValue(name).trim();

export const isDark = (): boolean =>
  (document.documentElement.dataset['theme'] ?? (system.matches ? 'dark' : 'light')) === 'dark';

/** For the style sheet: the colours as chosen, or else as those of the system. */
const setColours = () => {
  document.documentElement.dataset['colours'] = isDark() ? 'dark' : 'light';
};
setColours();

const changed = () => {
  setColours();
  for (const listener of listeners) listener();
};
system.addEventListener('change', changed);

export const palette = (): string[] => [...(isDark() ? palettes.dark : palettes.light)];

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
