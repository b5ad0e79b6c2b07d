import { describe, expect, it } from 'vitest';
import { measureMachine, renderSettings, tuneSettings } from '../src/settings.js';

const GB = 1024 ** 3;

function megabytesOf(value: string | undefined): number {
  return Number(/^(\d+)MB$/.exec(value ?? '')?.[1]);
}

describe('tuned settings', () => {
  const machines = [
    { memoryBytes: 0.25 * GB, cores: 1 },
    { memoryBytes: 2 * GB, cores: 2, sharedMemoryBytes: 64 * 1024 ** 2 },
    { memoryBytes: 16 * GB, cores: 8, sharedMemoryBytes: 8 * GB },
    { memoryBytes: 512 * GB, cores: 128, sharedMemoryBytes: 256 * GB },
  ];

  it.each(machines)('leave memory for everything else on $memoryBytes bytes', (machine) => {
    const settings = tuneSettings(machine);
    const memory = machine.memoryBytes / 1024 ** 2;
    const connections = Number(settings['max_connections']);
    const busy =
      megabytesOf(settings['shared_buffers']) + (connections / 4) * megabytesOf(settings['work_mem']);
    expect(busy).toBeLessThanOrEqual(memory * 0.6);
    expect(megabytesOf(settings['maintenance_work_mem'])).toBeLessThanOrEqual(Math.max(memory / 8, 32));
  });

  it.each(machines)('never trade safety, on $memoryBytes bytes', (machine) => {
    expect(tuneSettings(machine)).toMatchObject({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
    });
  });

  it('grow with the machine, up to a bound', () => {
    const buffers = machines.map((machine) => megabytesOf(tuneSettings(machine)['shared_buffers']));
    expect(buffers).toEqual([64, 512, 4096, 4096]);
  });

  it('keep out of a shared memory file system that is too small for a parallel query', () => {
    expect(machines.map((machine) => tuneSettings(machine)['dynamic_shared_memory_type'])).toEqual([
      'mmap',
      'mmap',
      'posix',
      'posix',
    ]);
  });

  it('come from this machine', async () => {
    const machine = await measureMachine();
    expect(machine.cores).toBeGreaterThanOrEqual(1);
    expect(machine.memoryBytes).toBeGreaterThan(64 * 1024 ** 2);
    expect(machine.memoryBytes).toBeLessThan(2 ** 50);
  });
});

describe('a settings file', () => {
  it('has each setting once, the last one given, with quotes and backslashes escaped', () => {
    const lines = renderSettings({ a: '1', b: 'x' }, { a: `it's \\ 2`, 'my.own': '' })
      .split('\n')
      .slice(1, -1);
    expect(lines).toEqual([`a = 'it''s \\\\ 2'`, `b = 'x'`, `my.own = ''`]);
  });

  it.each([
    ['a b', '1'],
    ["a'", '1'],
    ['', '1'],
    ['a', '1\nfsync = off'],
    ['a\nb', '1'],
  ])('cannot be broken out of by %j = %j', (name, value) => {
    expect(() => renderSettings({ [name]: value })).toThrow(TypeError);
  });
});
