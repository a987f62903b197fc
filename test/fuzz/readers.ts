/**
 * Fuzz targets of the readers: damaged heads and bodies, in pieces. What llhttp refuses is refused, what is accepted
 * reads as llhttp reads it, and the pieces in which it came make no difference.
 */
import { isDeepStrictEqual } from 'node:util';
import { type EngineReading, readRequests, readResponse } from '#proxy/http1/test-engine-reading.ts';
import { RequestOracle, ResponseOracle } from '#proxy/http1/test-llhttp.ts';
import { requestMessages, responseMessages } from '#proxy/http1/test-messages.ts';
import { type Luck, mutated, randomCuts } from '#proxy/http1/test-mutations.ts';
import { answerDifference, difference } from '#proxy/http1/test-reading-differences.ts';
import { smugglingPayloads } from '#proxy/test-smuggling-payloads.ts';
import type { FuzzInput, FuzzTarget, Verdict } from './input.ts';

/** What is under test, so that a broken one can be put in its place. */
export interface Readers {
  readonly requests: typeof readRequests;
  readonly response: typeof readResponse;
}

const engine: Readers = { requests: readRequests, response: readResponse };
const next = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n';
const payloadTexts = smugglingPayloads.map(({ send }) => send);
const bytesOf = ({ text }: Pick<FuzzInput, 'text'>) => Buffer.from(text, 'latin1');

/** Chunked bodies to begin with, without their heads. */
const chunkedTexts = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x=y;z="1"\r\nhello\r\n0a\r\n, world ! \r\n0\r\nX-Sum: 1\r\nY: 2 \r\n\r\n',
  '1\r\n\n\r\n2;a\r\n\r\n\r\n00;b="\\""\r\nTrailer-Less:\r\n\r\n',
  'F\r\n0\r\n\r\nGET / HTTP\r\n000f\r\n5\r\nhello\r\n0\r\n\r\n0\r\n\r\n',
];
const chunkedRequest = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunkedAnswer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** `readers`: those of the engine, unless said. */
export function readerTargets(readers: Readers = engine): readonly FuzzTarget[] {
  return [
    {
      name: 'request-head',
      about: 'damaged requests, read by the engine and by llhttp, whole and in pieces',
      turn: 200,
      make: (luck) => {
        const text =
          longer(luck, mutated(luck, luck.once(3) ? payloadTexts : requestMessages)) + (luck.once(2) ? next : '');
        return { text, cuts: cutsOf(luck, text), circumstances: {} };
      },
      open: async () => {
        const oracle = new RequestOracle();
        return {
          check: async (input) => {
            const bytes = bytesOf(input);
            const whole = readers.requests(bytes);
            const fault =
              difference(whole, await oracle.read(bytes)) ?? pieceFault(whole, readers.requests(bytes, input.cuts));
            return verdict(whole, fault);
          },
          close: async () => {},
        };
      },
    },
    {
      name: 'response-head',
      about: 'damaged answers, read by the engine and by llhttp, whole and in pieces',
      turn: 200,
      make: (luck) => {
        const text = longer(luck, mutated(luck, responseMessages));
        const circumstances = { method: luck.once(5) ? 'HEAD' : 'GET' };
        return { text, cuts: cutsOf(luck, text), circumstances };
      },
      open: async () => {
        const oracle = new ResponseOracle();
        return {
          check: async (input) => {
            const bytes = bytesOf(input);
            const { method = 'GET' } = input.circumstances;
            const whole = readers.response(bytes, { method });
            const fault =
              (await answerDifference(oracle, bytes, method, readers.response)) ??
              pieceFault(whole, readers.response(bytes, { method, cuts: input.cuts }));
            return verdict(whole, fault);
          },
          close: async () => {},
        };
      },
    },
    {
      name: 'chunks',
      about: 'damaged chunked bodies, as those of requests and of answers',
      turn: 200,
      make: (luck) => {
        const text = longer(luck, mutated(luck, chunkedTexts)) + (luck.once(3) ? next : '');
        return { text, cuts: cutsOf(luck, text), circumstances: {} };
      },
      open: async () => {
        const oracles = { requests: new RequestOracle(), answers: new ResponseOracle() };
        return {
          check: async ({ text, cuts }) => {
            const moved = (head: string) => cuts.map((cut) => cut + head.length);
            const asRequest = bytesOf({ text: chunkedRequest + text });
            const request = readers.requests(asRequest);
            const asAnswer = bytesOf({ text: chunkedAnswer + text });
            const answer = readers.response(asAnswer);
            const fault =
              difference(request, await oracles.requests.read(asRequest)) ??
              (await answerDifference(oracles.answers, asAnswer, 'GET', readers.response)) ??
              pieceFault(request, readers.requests(asRequest, moved(chunkedRequest))) ??
              pieceFault(answer, readers.response(asAnswer, { cuts: moved(chunkedAnswer) })) ??
              bodyFault(request, answer);
            return { fault, isAccepted: answer.isOver && answer.refusal === undefined };
          },
          close: async () => {},
        };
      },
    },
  ];
}

/** Once in a while, so much of something that it meets a limit. */
function longer(luck: Luck, text: string): string {
  if (!luck.once(200)) return text;
  const at = luck.below(text.length + 1);
  const filling = luck.pick(['x', ' ', 'X: y\r\n', ',', '0', '\r\n', '5\r\nhello\r\n', ';a']);
  return text.slice(0, at) + filling.repeat(luck.pick([50, 130, 300, 9_000, 20_000, 70_000])) + text.slice(at);
}

/** In a few pieces, or byte by byte. */
function cutsOf(luck: Luck, { length }: { readonly length: number }): number[] {
  return length < 400 && luck.once(8) ? Array.from({ length }, (_, at) => at) : randomCuts(luck, length);
}

function pieceFault(whole: EngineReading, inPieces: EngineReading): string | undefined {
  return isDeepStrictEqual(inPieces, whole) ? undefined : 'in pieces it reads as something else';
}

/** Of the first message; what follows an answer is never read. */
function bodyFault(request: EngineReading, answer: EngineReading): string | undefined {
  const [asked, answered] = [request.messages[0], answer.messages[0]];
  const isSame =
    asked?.isComplete === answered?.isComplete &&
    asked?.body === answered?.body &&
    isDeepStrictEqual(asked?.trailers, answered?.trailers);
  return isSame ? undefined : 'as a request it has another body than as an answer';
}

function verdict({ messages, refusal }: EngineReading, fault: string | undefined): Verdict {
  return { fault, isAccepted: messages.length > 0 && refusal === undefined };
}
