import { success } from '../../diagnostic/diagnostic.ts';
import { problem, type Answer } from './problem.ts';
import type { ServerRequest, Transport } from './transport.ts';

/** Of a server that always names another page: a million runs, or 25 million points, are fewer pages. */
const mostPages = 1000;

type Page = Readonly<Record<string, unknown>>;

/** Requests page after page until the last one, for as long as a request with all its repetitions may take. */
export const eachPage = async (
  transport: Transport,
  requestOf: (token: string | undefined) => ServerRequest,
  take: (page: Page) => Answer<undefined>,
): Promise<Answer<undefined>> => {
  const endsAt = performance.now() + transport.deadlineMs;
  const seen = new Set<string>();
  let token: string | undefined;
  for (;;) {
    const request = requestOf(token);
    const page = await transport.json(request);
    if (!page.ok) return page;
    const taken = take(page.value);
    if (!taken.ok) return taken;
    const next = page.value['next_page_token'];
    if (typeof next !== 'string' || next === '') return success(undefined);
    if (seen.has(next) || seen.size >= mostPages || performance.now() > endsAt)
      return problem(
        'not-mlflow',
        `The server names page after page without end; failed to ${request.what}.`,
        {
          help: 'Check the server and what is between it and you, such as a proxy.',
        },
      );
    seen.add(next);
    token = next;
  }
};
