/** All fuzz targets, by name. */
import { connectionTargets } from './connections.ts';
import type { FuzzTarget } from './input.ts';
import { readerTargets } from './readers.ts';
import { textTargets } from './texts.ts';

export const fuzzTargets: readonly FuzzTarget[] = [...readerTargets(), ...connectionTargets(), ...textTargets];
