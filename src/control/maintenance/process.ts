/**
 * What a maintenance process is: a module that plans from a view what it would change. It changes nothing itself; what
 * it plans is shown, requested, approved by another person, and only then made, step by step.
 */
import type { Change } from '#model/change.ts';
import type { View } from '#model/view.ts';

export interface ProcessParameter {
  readonly help: string;
  /** Without one it must be given. */
  readonly default?: string;
  /** Why a text is not allowed, a sentence; undefined when it is. */
  readonly check?: (text: string) => string | undefined;
}

export interface PlanContext {
  readonly parameters: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

export interface MaintenanceProcess {
  /** As `purge-unused-target-groups`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly parameters: Readonly<Record<string, ProcessParameter>>;
  /** Pure: the same view, parameters and time give the same steps. A step is made as a whole, in one transaction. */
  readonly plan: (view: View, context: PlanContext) => readonly (readonly Change[])[];
}

const namePattern = /^[a-z][a-z0-9-]{1,63}$/;

/** The process that a module gives as its default export; else why it is none, in a sentence. */
export function readProcess(module: unknown): MaintenanceProcess | string {
  const given = (module as { default?: Partial<MaintenanceProcess> } | undefined)?.default;
  if (typeof given !== 'object' || given === null) return 'it has no default export';
  const { name, summary, parameters = {}, plan } = given;
  if (typeof name !== 'string' || !namePattern.test(name))
    return 'its name is not lower-case letters, digits and hyphens';
  if (typeof summary !== 'string' || summary === '') return 'it has no summary';
  if (typeof plan !== 'function') return 'it has no plan';
  return { name, summary, parameters, plan };
}

export function wholeNumber(text: string): string | undefined {
  return /^\d{1,6}$/.test(text) ? undefined : 'a whole number';
}
