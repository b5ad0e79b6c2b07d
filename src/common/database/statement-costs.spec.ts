import { describe, expect, it } from 'vitest';
import {
  barStatement,
  isShort,
  observeLaneCost,
  StatementCosts,
  type StatementCost,
} from './statement-costs.js';

const openCost = (): StatementCost => new StatementCosts().of('read');

function run(cost: StatementCost, times: number, nowMs: number): void {
  for (let count = 0; count < times; count += 1) observeLaneCost(cost, 0.5, nowMs);
}

describe('a statement that held others up', () => {
  it('stays out of lanes for a while, and twice as long when it does so again soon', () => {
    const cost = openCost();
    run(cost, 2, 0);
    expect(isShort(cost, 0, true)).toBe(true);
    barStatement(cost, 0);
    run(cost, 2, 0);
    expect(isShort(cost, 999, true)).toBe(false);
    expect(isShort(cost, 1000, true)).toBe(true);
    barStatement(cost, 1000);
    run(cost, 2, 1000);
    expect(isShort(cost, 2999, true)).toBe(false);
    expect(isShort(cost, 3000, true)).toBe(true);
  });

  it('is let off where it seldom does, once', () => {
    const cost = openCost();
    run(cost, 501, 0);
    barStatement(cost, 0);
    expect(isShort(cost, 1, true)).toBe(true);
    barStatement(cost, 1);
    run(cost, 2, 1);
    expect(isShort(cost, 1000, true)).toBe(false);
    expect(isShort(cost, 1001, true)).toBe(true);
  });
});

describe('the average of a statement in lanes', () => {
  it('hardly changes by a run for which its server process waited, and follows what it takes from then on', () => {
    const cost = openCost();
    run(cost, 100, 0);
    observeLaneCost(cost, 60, 0);
    expect(cost.laneMs).toBeLessThan(0.8);
    for (let count = 0; count < 50; count += 1) observeLaneCost(cost, 5, 0);
    expect(cost.laneMs).toBeCloseTo(5, 0);
  });
});
