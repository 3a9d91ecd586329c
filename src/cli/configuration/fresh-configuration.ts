/** An Entity Configuration that is signed anew in time, and whenever its folder changed. */
import { stat } from 'node:fs/promises';
import type { NumericDate } from '../../federation/time.ts';
import type { Surroundings } from '../surroundings.ts';
import { keyFile, settingsFile } from './settings.ts';
import { type SignedConfiguration, signConfiguration } from './sign-configuration.ts';

export interface FreshConfigurationOptions {
  dir: string;
  allowHttp: boolean;
  stdin: Surroundings['stdin'];
  now: () => NumericDate;
  /** Hears why an edited folder is not served. */
  warn: (message: string) => void;
}

interface Signed {
  configuration: SignedConfiguration;
  /** What the folder looked like. */
  folder: string;
}

export class FreshConfiguration {
  readonly #options: FreshConfigurationOptions;
  #signed: Signed | undefined;
  #underWay: Promise<SignedConfiguration> | undefined;
  #refusedFolder: string | undefined;

  constructor(options: FreshConfigurationOptions) {
    this.#options = options;
  }

  /**
   * The configuration to serve now. After an edit that cannot be signed, the one before goes on while it is good.
   * @throws CommandError when there is none that is good
   */
  async current(): Promise<SignedConfiguration> {
    this.#underWay ??= this.#refresh().finally(() => {
      this.#underWay = undefined;
    });
    return await this.#underWay;
  }

  async #refresh(): Promise<SignedConfiguration> {
    const { dir, allowHttp, stdin, warn } = this.#options;
    const now = this.#options.now();
    const folder = await folderState(dir);
    const before = this.#signed;
    const isDue = before === undefined || now >= halfLife(before.configuration);
    const isNewFolder = folder !== before?.folder && folder !== this.#refusedFolder;
    if (!isDue && !isNewFolder) return before.configuration;
    try {
      const configuration = await signConfiguration({ dir, allowHttp, now }, { stdin });
      this.#signed = { configuration, folder };
      return configuration;
    } catch (error) {
      if (before === undefined || now >= before.configuration.expiresAt) throw error;
      if (isNewFolder) warn(`not signed anew: ${error instanceof Error ? error.message : error}`);
      this.#refusedFolder = folder;
      return before.configuration;
    }
  }
}

function halfLife({ issuedAt, expiresAt }: SignedConfiguration): NumericDate {
  return issuedAt + Math.floor((expiresAt - issuedAt) / 2);
}

async function folderState(dir: string): Promise<string> {
  const files = [settingsFile(dir), keyFile(dir)];
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => undefined);
      return found === undefined ? 'missing' : `${found.mtimeMs} ${found.size} ${found.ino}`;
    }),
  );
  return states.join(', ');
}
