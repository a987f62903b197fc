/**
 * Fuzz targets of what is made of clients' texts beside messages: log entries, which no text may end or break, and
 * session cookies, which nobody can make up.
 */

import { SessionCookies } from '#proxy/http1/session-cookies.ts';
import { mutated } from '#proxy/http1/test-mutations.ts';
import { EntryBytes } from '#proxy/log/entry-bytes.ts';
import type { FuzzInput, FuzzTarget } from './input.ts';

const entryTexts = [
  'GET http://example.com:80/path?query="1" HTTP/1.1',
  'Mozilla/5.0 (X11; \\"Linux\\" x86_64)',
  '\\x22 \\\\x22" "-" \r\nhttp 2026-11-29T00:00:00Z app/web/1',
  '',
];

/** Ends of the quoted parts of an entry, as its readers find them: by quotes alone. */
const entryPattern = /^http "([ !#-~]*)" 200 "([ !#-~]*)" -$/;

const dayMs = 86_400_000;
const nowMs = 20_000 * dayMs;
const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
/** The same nonce each time, so that the same input always gives the same cookie. */
const random = { hex: (digits: number) => '7'.repeat(digits) };
const scope = 'balancer';
const named = 'group/10.0.0.1:80';

export const textTargets: readonly FuzzTarget[] = [
  {
    name: 'log-entry',
    about: 'texts of strangers in an entry of an access log, which is split and read back',
    turn: 500,
    make: (luck) => ({ text: mutated(luck, entryTexts), cuts: [], circumstances: {} }),
    open: async () => {
      const entry = new EntryBytes();
      return {
        check: async ({ text }) => {
          entry.clear();
          const bytes = Buffer.from(text, 'latin1');
          entry.text('http "').escaped(bytes, 0, bytes.length).text('" ').number(200);
          entry.text(' "').escapedText(text).text('" -');
          const line = entry.bytes.toString('latin1', 0, entry.length);
          const [, first, second] = entryPattern.exec(line) ?? [];
          const isRight = first !== undefined && unescaped(first) === text && second === first;
          return { fault: isRight ? undefined : `it reads as ${JSON.stringify(line)}`, isAccepted: true };
        },
        close: async () => {},
      };
    },
  },
  {
    name: 'cookie',
    about: 'damaged session cookies among others: they name what they were made for, or nobody',
    turn: 200,
    make: (luck) => ({ text: mutated(luck, cookieTexts()), cuts: [], circumstances: {} }),
    open: async () => ({
      check: async (input) => {
        const cookies = new SessionCookies(Buffer.alloc(32, 7), clock, random as never);
        const found = cookies.find('target', scope, 60, requestWith(input));
        const isRight = found === undefined || (found === named && input.text.includes(sealedValue()));
        return { fault: isRight ? undefined : `it names ${found}`, isAccepted: found !== undefined };
      },
      close: async () => {},
    }),
  },
];

function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

let sealed: string | undefined;

function sealedValue(): string {
  if (sealed === undefined) {
    const cookies = new SessionCookies(Buffer.alloc(32, 7), clock, random as never);
    sealed = /=([^;]*);/.exec(cookies.lines('target', scope, named).toString())![1]!;
  }
  return sealed;
}

function cookieTexts(): readonly string[] {
  const value = sealedValue();
  return [`AWSALB=${value}`, `a=b; AWSALB=${value}; c`, `AWSALBCORS=${value}; AWSALB=x`, 'AWSALB=', '; ;=;AWSALBCORS'];
}

function requestWith({ text }: FuzzInput) {
  const values = (name: string) => (name === 'cookie' ? [text] : []);
  return { method: 'GET', host: '', path: '/', query: '', source: '', values };
}
