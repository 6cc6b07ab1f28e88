/** load-config — finds the config file, runs it, and reads what it says. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig as loadFile } from 'c12';
import { ConfigError } from './config-problems.ts';
import { type ParsedConfig, parseConfig } from './parse-config.ts';

export const DEFAULT_CONFIG_FILE = 'metergraph.config.ts';

/** What `import … from 'metergraph'` means in a config file: this very installation, wherever the file lies. */
const PUBLIC_ENTRY = ['./index.ts', './index.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

/**
 * @param file Path as the user gave it, from the working directory; null looks for the default file there.
 * @returns null when no file was asked for and there is none: the catalog is then left to `saveFeature` and `savePlan`.
 * @throws {ConfigError} for a file that is missing, doesn't run, or says something wrong.
 */
export async function loadConfig(file: string | null): Promise<ParsedConfig | null> {
  const path = resolve(file ?? DEFAULT_CONFIG_FILE);
  if (existsSync(path)) return parseConfig(await contentOf(path), path);
  if (file === null) return null;
  throw new ConfigError(path, [
    { path: '', sentence: 'does not exist; check METERGRAPH_CONFIG or --config, which are from the working directory' },
  ]);
}

async function contentOf(path: string): Promise<unknown> {
  try {
    const { config } = await loadFile({
      cwd: dirname(path),
      configFile: path,
      configFileRequired: true,
      // One file and nothing beside it; merging would also drop every `null`, and with it "unlimited".
      merger: (...sources) => sources.find((source) => source !== null && source !== undefined) ?? {},
      rcFile: false,
      packageJson: false,
      dotenv: false,
      envName: false,
      extend: false,
      giget: false,
      ...(PUBLIC_ENTRY !== undefined && { jitiOptions: { alias: { metergraph: PUBLIC_ENTRY } } }),
    });
    return config;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(path, [{ path: '', sentence: `could not be read: ${reason}` }]);
  }
}
