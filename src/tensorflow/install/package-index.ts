import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { decoded } from '../../system/decoded.ts';
import { httpCause } from '../../system/http-causes.ts';
import { publicAddress } from './http.ts';
import type { HttpGet } from './http.ts';
import { setupFailure } from './problem.ts';
import type { Wheel } from './wheel.ts';

const jsonType = 'application/vnd.pypi.simple.v1+json';
const accept = `${jsonType}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1`;

/** The links of a project's page: file name to absolute address. PEP 691 (JSON), and PEP 503 (HTML) for older mirrors. */
const readProjectPage = (
  page: { readonly text: string; readonly type: string },
  base: string,
): Map<string, string> => {
  const links = new Map<string, string>();
  if (page.type.includes('json')) {
    const { files } = JSON.parse(page.text) as { files: { filename: string; url: string }[] };
    for (const { filename, url } of files) links.set(filename, new URL(url, base).href);
    return links;
  }
  for (const [, href] of page.text.matchAll(/<a\s[^<>]*?href\s*=\s*["']([^"'<>]+)["']/gi)) {
    if (href === undefined) continue;
    const url = new URL(href.replaceAll('&amp;', '&'), base);
    url.hash = '';
    const name = url.pathname.split('/').pop() ?? '';
    links.set(decoded(name) ?? name, url.href);
  }
  return links;
};

/** Finds the address of a wheel on a Python package index. `help` is the way out if it has none. */
export const locateWheel = async (
  get: HttpGet,
  wheel: Wheel,
  { indexUrl, help }: { readonly indexUrl: string; readonly help: string },
): Promise<Result<string>> => {
  const page = new URL(`${wheel.project}/`, indexUrl).href;
  const shown = publicAddress(page);
  try {
    const response = await get(page, { accept });
    const text = await response.text();
    if (!response.ok) return setupFailure(`${shown} answered ${response.status}`, help);
    const type = response.headers.get('content-type') ?? '';
    const url = readProjectPage({ text, type }, response.url || page).get(wheel.file);
    if (url === undefined) return setupFailure(`${shown} does not list ${wheel.file}`, help);
    return success(url);
  } catch (error) {
    return setupFailure(`${shown} cannot be read: ${httpCause(error)}`, help);
  }
};
