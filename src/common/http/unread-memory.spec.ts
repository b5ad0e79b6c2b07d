import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { chooseUnread, type UnreadAnswer } from './unread-memory.js';

const MB = 1024 ** 2;
const answer = (sizeMb: number, ageMs: number): UnreadAnswer => ({
  socket: { destroy: () => new Socket() },
  sizeBytes: sizeMb * MB,
  ageMs,
});
const chosenAges = (answers: readonly UnreadAnswer[]): number[] =>
  chooseUnread(answers).map(({ ageMs }) => ageMs);

describe('answers that clients do not take', () => {
  it('are left alone as long as they are small together', () => {
    expect(chosenAges(Array.from({ length: 24 }, (_, index) => answer(1, index * 1000)))).toEqual([]);
  });

  it('go, the oldest first, until the rest fits', () => {
    expect(chosenAges([answer(10, 900), answer(10, 5000), answer(10, 700), answer(10, 8000)])).toEqual([
      8000, 5000,
    ]);
  });

  it('have some time, unless there is far too much', () => {
    expect(chosenAges([answer(30, 100), answer(30, 200)])).toEqual([]);
    expect(chosenAges([answer(30, 100), answer(30, 200), answer(30, 50)])).toEqual([200]);
  });

  it('are not the only one', () => {
    expect(chosenAges([answer(500, 60_000)])).toEqual([]);
    expect(chosenAges([answer(500, 60_000), answer(500, 100)])).toEqual([60_000]);
  });
});
