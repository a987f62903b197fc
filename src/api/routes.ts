/** What a route of the operator API is: a method, a path, the members that it takes, and an answer. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import type { Lines } from './lines.ts';
import * as read from './parameters.ts';

/** What a route answers: a stream of lines, or one value. */
export type RouteAnswer = { readonly lines: Lines } | { readonly value: object };

export interface Route {
  readonly method: 'GET' | 'POST';
  /** As people write it; `REV` stands for digits. */
  readonly path: string;
  /** `given` are the members of the query or of the body; `asked` says what the path and the sender add to it. */
  readonly answer: (given: Given, asked: Asked) => Promise<Result<RouteAnswer, Refusal>>;
}

export interface Asked {
  /** What stood for `REV`. */
  readonly revision: number;
  /** The principal who asks. */
  readonly by: string;
}

type Given = readonly (readonly [name: string, value: unknown])[];

/** Makes routes whose members are read before they answer. */
export function route(method: Route['method']) {
  return <M extends read.Members>(
    path: string,
    members: M,
    answer: (values: read.ValuesOf<M>, asked: Asked) => Promise<Result<RouteAnswer, Refusal>>,
  ): Route => ({
    method,
    path,
    answer: async (given, asked) => {
      const values = read.readMembers(members, given);
      return values.ok ? answer(values.value, asked) : refuse({ status: 400, error: values.fault });
    },
  });
}

export function asLines(looked: Result<Lines, Refusal>): Result<RouteAnswer, Refusal> {
  return looked.ok ? accept({ lines: looked.value }) : looked;
}

export function asValue(looked: Result<object, Refusal>): Result<RouteAnswer, Refusal> {
  return looked.ok ? accept({ value: looked.value }) : looked;
}
