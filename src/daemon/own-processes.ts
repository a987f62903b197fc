/** The operator's own maintenance processes: modules in a folder that is named when Ballast is started. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { accept, type Result, refuse } from '#base/result.ts';
import { type MaintenanceProcess, readProcess } from '#control/maintenance/process.ts';

/** Loads every module of the folder. Refuses, in a sentence, the first that is none or gives no process. */
export async function ownProcesses(folder: string): Promise<Result<readonly MaintenanceProcess[], string>> {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.(ts|mts|js|mjs)$/.test(name));
  } catch (error) {
    return refuse(`the folder of maintenance processes ${folder} cannot be read: ${(error as Error).message}`);
  }
  const processes: MaintenanceProcess[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    try {
      const process = readProcess(await import(pathToFileURL(path).href));
      if (typeof process === 'string') return refuse(`${path} is no maintenance process: ${process}`);
      processes.push(process);
    } catch (error) {
      return refuse(`${path} cannot be loaded: ${(error as Error).message}`);
    }
  }
  return accept(processes);
}
