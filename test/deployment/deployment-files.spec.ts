import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/common/config/index.js';
import { SETTINGS } from '../../src/common/config/settings.js';
import { HealthController } from '../../src/common/health/index.js';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const PORT = 3000;
/** Set by the files, and read by Node.js itself. */
const OF_NODE = new Set(['NODE_ENV']);

const dockerfile = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', text: line.slice(line.indexOf(' ') + 1) }));
const instructions = (name: string): string[] =>
  dockerfile.filter((line) => line.name === name).map(({ text }) => text);
const imageEnvironment = Object.fromEntries(
  [
    ...instructions('ENV')
      .join(' ')
      .matchAll(/(\w+)=(\S+)/g),
  ].map(([, name = '', value = '']) => [name, value]),
);

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: object;
}

interface ComposeService {
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly stop_grace_period: string;
}

const compose = parse(read('compose.yaml')) as Compose;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

interface Container {
  readonly env: readonly Variable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // Manifests of every kind are looked into.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly spec: any;
}

const FOLDER = 'deploy/kubernetes';
const manifests = new Map(
  readdirSync(join(ROOT, FOLDER)).map((file) => {
    const manifest = parse(read(join(FOLDER, file))) as Manifest;
    return [manifest.kind, manifest];
  }),
);
const specOf = (kind: string): Manifest['spec'] => manifests.get(kind)?.spec;
const pod = specOf('Deployment').template;
const [container] = pod.spec.containers as [Container];

const unit = read('deploy/systemd/plinth.service');
/** Commented ones too: they are there to be used. */
const unitEnvironment = Object.fromEntries(
  [...unit.matchAll(/^#?Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
);

const settings = new Set(Object.values(SETTINGS).flatMap(({ variable }) => [variable, `${variable}_FILE`]));

describe('every environment variable of the deployment files', () => {
  it.each([
    ['Dockerfile', imageEnvironment],
    ['compose.yaml', compose.services['plinth']?.environment ?? {}],
    ['deployment.yaml', Object.fromEntries(container.env.map(({ name, value = '' }) => [name, value]))],
    ['plinth.service', unitEnvironment],
  ])('in %s is a setting with a value that is taken', (_file, environment) => {
    const names = Object.keys(environment);
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !settings.has(name) && !OF_NODE.has(name))).toEqual([]);
    // Those in files cannot be read here.
    const given = Object.entries(environment).filter(([name]) => !name.endsWith('_FILE'));
    expect(() => parseConfig(Object.fromEntries(given))).not.toThrow();
  });
});

describe('the image', () => {
  it('serves on the port that it exposes, as a user by number, out of a folder that is a volume', () => {
    expect(instructions('EXPOSE')).toEqual([String(PORT)]);
    expect(imageEnvironment).toMatchObject({ PORT: String(PORT), HOST: '0.0.0.0' });
    expect(instructions('USER').at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(JSON.parse(instructions('VOLUME')[0] ?? '')).toEqual([imageEnvironment['PLINTH_DATA_DIR']]);
    expect(JSON.parse(instructions('CMD').at(-1) ?? '')).toEqual(['start']);
  });

  it('copies only what is there, and the manifest of every package', () => {
    const sources = instructions('COPY')
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    for (const lib of readdirSync(join(ROOT, 'libs'))) {
      expect(sources).toContain(`libs/${lib}/package.json`);
      expect(instructions('COPY')).toContain(`--from=build /app/libs/${lib}/dist libs/${lib}/dist`);
    }
  });

  it('leaves development packages out', () => {
    expect(instructions('ARG')).toEqual(['OMIT="--omit=dev"']);
    expect(instructions('RUN')).toContain('npm ci $OMIT');
  });

  it('checks its health where the server answers', () => {
    const [healthcheck = ''] = instructions('HEALTHCHECK');
    expect(healthcheck).toContain('CMD ["node", "healthcheck.mjs"]');
    expect(read('deploy/docker/healthcheck.mjs')).toContain("path: '/health/live'");
  });
});

describe('compose.yaml', () => {
  const { plinth, database } = compose.services;

  it('waits for a healthy database, and publishes the port of the image on this machine only', () => {
    expect(plinth?.depends_on?.['database']).toEqual({ condition: 'service_healthy' });
    expect(database?.healthcheck).toBeDefined();
    expect(plinth?.ports).toEqual([`127.0.0.1:${PORT}:${PORT}`]);
  });

  it('gives secrets by file, none of which is in the repository', () => {
    for (const { environment, secrets } of Object.values(compose.services)) {
      const files = Object.entries(environment).filter(([name]) => name.endsWith('_FILE'));
      expect(files.map(([, path]) => path)).toEqual(secrets.map((name) => `/run/secrets/${name}`));
      expect(JSON.stringify(environment)).not.toMatch(/postgres:\/\/|PASSWORD"/);
    }
    for (const { file } of Object.values(compose.secrets)) {
      expect(read('.gitignore').split('\n')).toContain(`/${file.split('/')[1]}/`);
    }
  });

  it('stops the server later than that gives up', () => {
    const graceMs = Number.parseInt(plinth?.stop_grace_period ?? '', 10) * 1000;
    expect(graceMs).toBeGreaterThan(Number(plinth?.environment['PLINTH_SHUTDOWN_TIMEOUT']));
  });
});

describe('the Kubernetes manifests', () => {
  it('are all in the kustomization, and belong together', () => {
    const { resources } = parse(read(`${FOLDER}/kustomization.yaml`)) as { readonly resources: string[] };
    const files = readdirSync(join(ROOT, FOLDER)).filter((file) => file !== 'kustomization.yaml');
    expect(resources.toSorted()).toEqual(files.toSorted());
    const labels = pod.metadata.labels;
    expect(specOf('Deployment').selector.matchLabels).toEqual(labels);
    expect(specOf('Service').selector).toEqual(labels);
    expect(specOf('PodDisruptionBudget').selector.matchLabels).toEqual(labels);
    expect(specOf('NetworkPolicy').podSelector.matchLabels).toEqual(labels);
    expect(specOf('HorizontalPodAutoscaler').scaleTargetRef.name).toBe(
      manifests.get('Deployment')?.metadata.name,
    );
  });

  it('name one port', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: PORT }]);
    expect(specOf('Service').ports[0].targetPort).toBe('http');
    expect(specOf('NetworkPolicy').ingress[0].ports).toEqual([{ port: 'http' }]);
  });

  it('probe what answers, and readiness by itself', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const routes = Object.getOwnPropertyNames(HealthController.prototype).map((name) => `/health/${name}`);
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(routes).toContain(httpGet.path);
      expect(httpGet.port).toBe('http');
    }
    // A database that is away is no reason to start the server anew.
    expect([startupProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      '/health/live',
      '/health/live',
    ]);
    // The server waits for its database for so long before it gives up.
    const patienceMs = startupProbe.periodSeconds * startupProbe.failureThreshold * 1000;
    expect(patienceMs).toBeGreaterThan(2 * SETTINGS.databaseWaitMs.defaultValue);
  });

  it('give a pod the time to stop that it takes', () => {
    const timeout = container.env.find(({ name }) => name === 'PLINTH_SHUTDOWN_TIMEOUT')?.value;
    const [, preStopSeconds] = container.lifecycle.preStop.exec.command;
    const needed = Number(preStopSeconds) + Number(timeout) / 1000;
    expect(needed).toBeGreaterThan(10);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
  });

  it('run without rights, on a file system that cannot be written but for the folders of the image', () => {
    expect(pod.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: Number(instructions('USER').at(-1)?.split(':')[0]),
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounts).toEqual(['/tmp', imageEnvironment['PLINTH_DATA_DIR']]);
  });
});

describe('the systemd unit', () => {
  it('starts what the build makes, and stops it later than that gives up', () => {
    const { bin } = JSON.parse(read('package.json')) as { readonly bin: { readonly plinth: string } };
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/plinth\/dist\/cli\.js start$/m);
    expect(bin.plinth).toBe('./dist/cli.js');
    const stopSeconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    expect(stopSeconds * 1000).toBeGreaterThan(Number(unitEnvironment['PLINTH_SHUTDOWN_TIMEOUT']));
    expect(unit).toMatch(/^KillMode=mixed$/m);
  });
});
