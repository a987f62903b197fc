/** Where a program's text goes: a person at a terminal, a pipe, a file. */
export interface TextOutput {
  /** True when a person looks at it. */
  readonly isTerminal: boolean;
  write(text: string): void;
  /**
   * Resolves once there is room for more, so that what is written does not pile up; with false when nobody reads it any
   * more.
   */
  flushed(): Promise<boolean>;
}
