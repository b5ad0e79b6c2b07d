import { expect, it } from 'vitest';
import { UnderWay } from './under-way.js';

it('holds what has begun and not ended, in whatever order that happens', () => {
  const underWay = new UnderWay<number>();
  const begun = [1, 2, 3, 4, 5].map((value) => underWay.begin(value));
  const end = (index: number): void => underWay.end(begun[index]!);
  const held = (): number[] => [...underWay].toSorted((a, b) => a - b);
  end(1);
  expect(held()).toEqual([1, 3, 4, 5]);
  end(4);
  end(4);
  end(1);
  expect(held()).toEqual([1, 3, 4]);
  const again = underWay.begin(6);
  end(0);
  end(3);
  expect([held(), underWay.size]).toEqual([[3, 6], 2]);
  underWay.end(again);
  end(2);
  expect([held(), underWay.size]).toEqual([[], 0]);
});
