/** Why an address could not be listened on, as one sentence that says what to do. */

/** `flag` is the setting that chooses the address, for instance `--api`. */
export function explainListen(
  error: unknown,
  what: { readonly name: string; readonly flag: string; readonly host: string; readonly port: number },
): string {
  const { name, flag, host, port } = what;
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `${name}: ${host}:${port} is in use by another program; choose another with ${flag} HOST:PORT (port 0 picks a free one)`;
    case 'EADDRNOTAVAIL':
      return `${name}: ${host} is not an address of this machine; choose another with ${flag} HOST:PORT`;
    case 'EACCES':
      return `${name}: this user may not listen on ${host}:${port}; choose a port above 1023 with ${flag} HOST:PORT`;
    default:
      return `${name}: cannot listen on ${host}:${port}: ${message}`;
  }
}
