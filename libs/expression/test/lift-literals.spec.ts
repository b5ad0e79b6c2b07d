import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionError, liftLiterals, parseExpression } from '../src/index.js';
import { ExpressionWriter } from './random-expressions.js';
import { Random } from '../../../test/kit/random.js';

const lift = (text: string): readonly (readonly [string, string])[] =>
  liftLiterals(text).literals.map(({ kind, value }) => [kind, value] as const);

/** What becomes of a text: any error but our own is a defect. */
function outcomeOf(text: string): 'parsed' | 'refused' | 'broken' {
  try {
    parseExpression(text);
    return 'parsed';
  } catch (error) {
    return error instanceof ExpressionError ? 'refused' : 'broken';
  }
}

describe('liftLiterals', () => {
  it('lifts every kind of literal, in order, and leaves the constants', () => {
    expect(
      lift(`a == 'x' && b > 1.5e3 || c in [0x1F, 2u, b"a\\xff", r"\\d", """t"q"""] && true != null`),
    ).toEqual([
      ['string', 'x'],
      ['double', '1.5e3'],
      ['int', '0x1F'],
      ['uint', '2'],
      ['bytes', '61ff'],
      ['string', '\\d'],
      ['string', 't"q'],
    ]);
  });

  it('gives texts that differ in literals, white space and comments one shape', () => {
    const shapes = [
      'a == "x" && b > 1',
      "a  ==\n'longer \\u00e9' && b > 42",
      'a == r"" && // why\n b > 0',
    ].map((text) => liftLiterals(text).shape);
    expect(new Set(shapes).size).toBe(1);
  });

  it('tells apart what compiles differently', () => {
    const shapes = [
      'b > 1',
      'b > 1.0',
      'b > 4294967296',
      'b > "1"',
      'b > 1u',
      'b > -1',
      'b>= 1',
      'b > true',
    ].map((text) => liftLiterals(text).shape);
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  it('keeps names in brackets in the shape, and lifts lists and indexes', () => {
    expect(
      lift('record["first name"] == "x" && meta["a"]["b"] in ["c"] && tags[0] == "d" && a ? ["e"] : ["f"]'),
    ).toEqual([
      ['string', 'x'],
      ['string', 'c'],
      ['int', '0'],
      ['string', 'd'],
      ['string', 'e'],
      ['string', 'f'],
    ]);
    expect(liftLiterals('record["a"] == 1').shape).not.toBe(liftLiterals('record["b"] == 1').shape);
  });

  it('cannot be given a shape that stands for another text', () => {
    for (const text of ['a == \0s', 'a == "x', 'a == 1x', '\0\0']) {
      expect(liftLiterals(text).literals).toEqual([]);
      expect(liftLiterals(text).shape).not.toBe(liftLiterals('a == "x"').shape);
    }
  });

  it('reads every literal as the parser does', () => {
    const writer = new ExpressionWriter(new Random(7));
    for (let count = 0; count < 2000; count += 1) {
      const text = writer.write();
      const values = [...parseExpression(text).literals.values()];
      expect(values.map(({ literal }) => literal)).toEqual(liftLiterals(text).literals);
    }
  });

  it('survives any text, and so does the parser', () => {
    const piece = constantFrom(
      'a',
      '"',
      "'",
      '\\',
      '1',
      '.',
      'e',
      '-',
      '[',
      ']',
      '(',
      ')',
      ' ',
      '\n',
      'b"',
      "r'",
      '"""',
      '0x',
      'u',
      '//',
      '&&',
      '\0',
      '\ud800',
      'in',
      '==',
    );
    assert(
      property(
        oneof(
          array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
          string(),
        ),
        (text) => {
          const { literals } = liftLiterals(text);
          for (const { start, end } of literals) expect(end).toBeGreaterThan(start);
          expect(outcomeOf(text)).not.toBe('broken');
        },
      ),
      { numRuns: 3000 },
    );
  });
});
