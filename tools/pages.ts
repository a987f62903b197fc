/** Reference pages that come from tables in the code: `npm run pages` writes them, and a test holds them equal. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsPage } from '#daemon/settings.ts';

/** The text of each page by its path from the root. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/settings.md': settingsPage,
};

if (import.meta.main) {
  for (const [path, page] of Object.entries(pages)) writeFileSync(join(import.meta.dirname, '..', path), page());
}
