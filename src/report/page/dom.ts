type Child = Node | string | null | undefined | false;

type Handler = (event: Event) => void;

/** An element with attributes (`on...` are listeners; false and null are left out) and children. */
export const element = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | null | undefined | Handler>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};

/** A labelled choice; `changed` gets the chosen value. */
export const choice = (
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: string,
  changed: (value: string) => void,
): HTMLLabelElement => {
  const select = element(
    'select',
    { onchange: () => changed(select.value) },
    ...options.map(([value, text]) => element('option', { value, selected: value === chosen }, text)),
  );
  return element('label', {}, `${label} `, select);
};

/** A section of the page under a heading. */
export const section = (id: string, title: string, ...children: readonly Child[]): HTMLElement =>
  element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...children,
  );

/** A picture as an image, so that its style stays its own. */
export const svgImage = (picture: string, alt: string): HTMLImageElement =>
  element('img', {
    src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`,
    alt,
    class: 'plot',
  });
