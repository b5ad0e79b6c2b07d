import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SYSTEM_DATA_SOURCE } from '../../common/database/index.js';
import { Problem } from '../../common/errors/index.js';
import { hashSecret } from '../sessions/session-secret.js';
import { OneTimeTokens } from '../sign-in/one-time-tokens.service.js';
import type { ExternalIdentity } from './provider.js';

const CODE_SECONDS = 60;

/** Whom a code is for: an application that keeps a verifier, or the browser that began. */
export type Holder = { readonly challenge: string } | { readonly browserHash: string };

/** What a code is changed for. */
export type CodeContent =
  | { readonly intent: 'sign-in'; readonly userId: string }
  | { readonly intent: 'link'; readonly identity: ExternalIdentity };

/** What comes with a code. */
export interface CodeProof {
  readonly code: string;
  readonly codeVerifier?: string;
  /** The flow's secret of the browser. */
  readonly browser: string | null;
}

/**
 * One-time codes that lead from the return address to a session, so that no token is ever in an address. A code by itself
 * is of no use to who sees it: it holds for whoever began only.
 */
@Injectable()
export class FlowCodes {
  constructor(
    @InjectDataSource(SYSTEM_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly tokens: OneTimeTokens,
  ) {}

  issue(content: CodeContent, holder: Holder): Promise<string> {
    const userId = content.intent === 'sign-in' ? content.userId : null;
    return this.tokens.issue('provider-code', CODE_SECONDS, this.dataSource.manager, {
      userId,
      data: { content, holder },
    });
  }

  /**
   * Uses a code up.
   * @throws Problem `forbidden`
   */
  async use<I extends CodeContent['intent']>(
    intent: I,
    proof: CodeProof,
  ): Promise<Extract<CodeContent, { readonly intent: I }>> {
    const found = await this.tokens.consume('provider-code', proof.code, this.dataSource.manager);
    const { content, holder } = (found?.data ?? {}) as { content?: CodeContent; holder?: Holder };
    if (content?.intent !== intent || holder === undefined || !isHolder(holder, proof)) {
      throw new Problem('forbidden', {
        detail:
          'The code is unknown, used, expired, for something else, or was given to another application.',
      });
    }
    return content as Extract<CodeContent, { readonly intent: I }>;
  }
}

/** What a browser's secret is kept as. */
export const browserHashOf = (browser: string): string =>
  hashSecret(Buffer.from(browser)).toString('base64url');

function isHolder(holder: Holder, { codeVerifier, browser }: CodeProof): boolean {
  if ('challenge' in holder) {
    return codeVerifier !== undefined && isSame(browserHashOf(codeVerifier), holder.challenge);
  }
  return browser !== null && isSame(browserHashOf(browser), holder.browserHash);
}

/** Both are hashes of the same length. */
export const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};
