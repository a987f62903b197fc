/** Frames as text, put together of pieces that are bounded in size. */
import type { Transaction } from '#model/change.ts';
import { frameCharactersMax } from './frames.ts';

export function changesFrame(revision: number, changesText: string): string {
  return `{"type":"changes","revision":${revision},"changes":[${changesText}]}`;
}

export function transactionText({ revision, timeMs, cause, digest }: Transaction, changesText: string): string {
  return `{"revision":${revision},"timeMs":${timeMs},"cause":${JSON.stringify(cause)},"digest":"${digest}","changes":[${changesText}]}`;
}

/** The items as JSON with commas between, in pieces of at most about `frameCharactersMax`; none when there are none. */
export function piecesOf(items: readonly unknown[]): string[] {
  const pieces: string[] = [];
  let texts: string[] = [];
  let characters = 0;
  for (const item of items) {
    const text = JSON.stringify(item);
    if (characters + text.length > frameCharactersMax / 2 && texts.length > 0) {
      pieces.push(texts.join(','));
      texts = [];
      characters = 0;
    }
    texts.push(text);
    characters += text.length;
  }
  if (texts.length > 0) pieces.push(texts.join(','));
  return pieces;
}
