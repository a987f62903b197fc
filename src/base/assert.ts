/** Assertions are always on: a bug stops the process at the place where it is seen, and its supervisor says so. */

export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** Throws unless `condition` holds. `law` says what does, positively: `assert(port >= 0, 'a port is not negative')`. */
export function assert(condition: boolean, law: string): asserts condition {
  if (!condition) throw new AssertionFailure(`does not hold: ${law}`);
}

/** The end of a switch over a closed union: a new member breaks the build here. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`does not hold: no such case: ${JSON.stringify(value)}`);
}
