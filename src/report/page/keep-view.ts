/** What the reader has done, by what it was done to; the page loads itself anew while a sweep is running. */
interface KeptView {
  /** Values of choices, by their label. */
  choices: Record<string, string>;
  /** Checkboxes by their label. */
  boxes: Record<string, boolean>;
  sort: { readonly column: string; readonly direction: string } | null;
  theme: string | null;
  scroll: number;
  /** Tag and label of what has the keyboard's focus. */
  focus: readonly [tag: string, label: string] | null;
}

const place = `unroll ${location.pathname}`;

const read = (): KeptView => {
  const none: KeptView = { choices: {}, boxes: {}, sort: null, theme: null, scroll: 0, focus: null };
  try {
    return { ...none, ...(JSON.parse(sessionStorage.getItem(place) ?? '{}') as Partial<KeptView>) };
  } catch {
    // A browser may forbid a file to store anything.
    return none;
  }
};

const labelOf = (one: Element): string =>
  one.getAttribute('aria-label') ?? (one.closest('label')?.firstChild ?? one).textContent?.trim() ?? '';

const withLabel = <E extends Element>(elements: Iterable<E>, label: string): E | undefined =>
  [...elements].find((one) => labelOf(one) === label);

const selects = () => document.querySelectorAll('select');
const boxes = () => document.querySelectorAll<HTMLInputElement>('input[type=checkbox]');

/** Does once more what the reader had done before the page was loaded anew, and remembers what is done from now on. */
export const keepView = (): void => {
  const kept = read();
  restore(kept);
  document.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLSelectElement) kept.choices[labelOf(target)] = target.value;
    if (target instanceof HTMLInputElement) kept.boxes[labelOf(target)] = target.checked;
  });
  document.addEventListener('click', () => {
    const head = document.querySelector('.configurations th:not([aria-sort=none])[aria-sort]');
    const sort = head && { column: head.textContent, direction: head.getAttribute('aria-sort') ?? '' };
    const atFirst = sort?.column === 'Rank' && sort.direction === 'ascending';
    kept.sort = atFirst ? null : sort;
    kept.theme = document.documentElement.dataset['theme'] ?? null;
    const run = document.querySelector<HTMLSelectElement>('#run select');
    if (run && document.activeElement?.id === 'run-title') kept.choices[labelOf(run)] = run.value;
  });
  addEventListener('pagehide', () => {
    const focused = document.activeElement;
    kept.scroll = scrollY;
    kept.focus = focused && focused !== document.body ? [focused.tagName, labelOf(focused)] : null;
    try {
      sessionStorage.setItem(place, JSON.stringify(kept));
    } catch {
      // Then the next page begins as the first one did.
    }
  });
};

const restore = (kept: KeptView): void => {
  if (kept.theme !== null) {
    const button = document.querySelector<HTMLButtonElement>('header button');
    if (button?.getAttribute('aria-label')?.includes(kept.theme)) button.click();
  }
  for (const [label, value] of Object.entries(kept.choices)) {
    const select = withLabel(selects(), label);
    if (!select || ![...select.options].some((option) => option.value === value)) continue;
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }
  for (const [label, checked] of Object.entries(kept.boxes)) {
    const box = withLabel(boxes(), label);
    if (!box || box.checked === checked) continue;
    box.checked = checked;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  }
  if (kept.sort) {
    const head = withLabel(document.querySelectorAll('.configurations th[aria-sort]'), kept.sort.column);
    for (let clicks = 0; clicks < 2 && head?.getAttribute('aria-sort') !== kept.sort.direction; clicks++)
      head?.querySelector('button')?.click();
  }
  const [tag = '', label = ''] = kept.focus ?? [];
  if (tag !== '') {
    const target = withLabel(document.querySelectorAll<HTMLElement>(tag.toLowerCase()), label);
    target?.focus({ preventScroll: true });
  }
  scrollTo(0, kept.scroll);
};

/** So long after the last touch of a choice its list may still be open. */
const handsOffMs = 10_000;

/** Loads the page anew after some seconds, but never under the reader's hands: with a choice open or text selected. */
export const loadAgain = (seconds: number): void => {
  let touchedAt = -Infinity;
  for (const type of ['pointerdown', 'keydown'])
    document.addEventListener(type, ({ target }) => {
      if (target instanceof HTMLSelectElement) touchedAt = performance.now();
    });
  const attempt = () => {
    const choosing =
      document.activeElement instanceof HTMLSelectElement && performance.now() - touchedAt < handsOffMs;
    if (choosing || getSelection()?.type === 'Range') setTimeout(attempt, 1000);
    else location.reload();
  };
  setTimeout(attempt, seconds * 1000);
};
