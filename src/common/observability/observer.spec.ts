import { describe, expect, it, vi } from 'vitest';
import type { Observation } from './observation.js';
import { createSink, Observer } from './observer.js';

const listening: Observation = { kind: 'server.stopping', signal: 'SIGTERM' };

describe('an observer', () => {
  it('gives each sink what it wants and nothing else, also to those that come later', () => {
    const heard: string[] = [];
    const observer = new Observer([createSink({ 'server.stopping': ({ signal }) => heard.push(signal) })]);
    observer.observe(listening);
    observer.observe({ kind: 'database.closed' });
    observer.add(createSink({ 'server.stopping': () => heard.push('later') }));
    observer.observe(listening);
    expect(heard).toEqual(['SIGTERM', 'SIGTERM', 'later']);
  });

  it('goes on where a sink fails', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const heard: string[] = [];
    const failing = createSink({
      'server.stopping': () => {
        throw new Error('the disk is full');
      },
    });
    const observer = new Observer([failing, createSink({ 'server.stopping': () => heard.push('next') })]);
    observer.observe(listening);
    observer.observe(listening);
    expect(heard).toEqual(['next', 'next']);
    expect(warn).toHaveBeenCalledOnce();
    expect(String(warn.mock.calls[0]?.[0])).toContain('the disk is full');
    warn.mockRestore();
  });
});
