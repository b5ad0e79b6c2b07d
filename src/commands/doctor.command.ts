import { ConfigError, parseConfig, type PlinthConfig } from '../common/config/index.js';
import { checkDatabase } from './doctor/check-database.js';
import { checkEmbedded } from './doctor/check-embedded.js';
import { checkPort } from './doctor/check-port.js';
import { checkReplicas } from './doctor/check-replicas.js';
import { failed, ok, type Finding } from './doctor/finding.js';

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const;
const OLDEST_NODE: readonly [number, number] = [20, 19];

/** Checks what Plinth needs, prints a line for each, and exits with 1 when something keeps it from working. */
export async function runDoctor(): Promise<void> {
  const findings: Finding[] = [checkNode()];
  const config = checkConfig(findings);
  if (config) {
    findings.push(await checkPort(config));
    findings.push(
      ...(config.databaseUrl === null
        ? await checkEmbedded(config)
        : await checkDatabase(config, config.databaseUrl)),
      ...(await checkReplicas(config)),
    );
  }
  process.stdout.write(findings.map(print).join(''));
  if (findings.some(({ status }) => status === 'failed')) process.exitCode = 1;
}

const print = ({ status, what, advice }: Finding): string =>
  `${MARKS[status]}  ${what}\n${advice === undefined ? '' : `         -> ${advice.replaceAll('\n', '\n            ')}\n`}`;

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const what = `Node.js ${process.versions.node}`;
  return isOld ? failed(what, 'Install Node.js 20.19 or later.') : ok(what);
}

function checkConfig(findings: Finding[]): PlinthConfig | null {
  try {
    const config = parseConfig(process.env);
    findings.push(ok('the configuration is valid'));
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { variable, message } of error.mistakes) {
      findings.push(failed(`${variable} ${message}`, `Correct or unset ${variable}.`));
    }
    return null;
  }
}
