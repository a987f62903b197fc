/** A length of time in words, as short as says enough: never more than two units. */

/** `310 ms`, `4.2 s`, `12 min 5 s`, `23 h 41 min`. */
export function formatDuration(durationMs: number): string {
  if (Math.round(durationMs) < 1000) return `${Math.round(durationMs)} ms`;
  // Rounded before it is decided which unit is shown, or 59.96 s would be `60.0 s`.
  const tenths = Math.round(durationMs / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return inTwoUnits(seconds, 60, ['min', 's']);
  return inTwoUnits(Math.round(seconds / 60), 60, ['h', 'min']);
}

function inTwoUnits(count: number, size: number, [large, small]: readonly [string, string]): string {
  const rest = count % size;
  const whole = `${Math.floor(count / size)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}
