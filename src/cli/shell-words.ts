/** Words as they can be pasted into a shell: what a command suggests is run by people who are in a hurry. */

export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

function shellWord(text: string): string {
  return /^[\w./:=@,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
