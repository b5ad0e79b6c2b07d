import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AddressInfo, Server } from 'node:net';
import { PlinthConfig } from '../../common/config/index.js';
import { Problem } from '../../common/errors/index.js';
import { findReturnUrl } from '../return-urls.js';

/** Plinth's own pages, for applications that have none. */
export const PAGE_NAMES = ['verify', 'reset', 'sign-in', 'invitation'] as const;
export type PageName = (typeof PAGE_NAMES)[number];

export const MAX_RETURN_URL = 2000;

/**
 * Where links in mails lead: to a page of an application that the operator has allowed, or to one of Plinth's own. What a
 * request says of the host that it was sent to is never looked at, since whoever sends it says what they like.
 */
@Injectable()
export class ReturnUrls {
  constructor(
    private readonly config: PlinthConfig,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /**
   * @returns the address in its one spelling, or null where there is none
   * @throws Problem `invalid-request` for one that is not allowed
   */
  check(returnTo: string | undefined): string | null {
    if (returnTo === undefined) return null;
    const url = findReturnUrl(returnTo, this.config.returnUrls);
    if (url !== null && takesToken(url)) return url.href;
    throw new Problem('invalid-request', {
      detail: 'returnTo is not among the addresses that PLINTH_RETURN_URLS allows.',
      errors: [{ pointer: '/returnTo', code: 'not-allowed', message: 'is not an allowed address' }],
    });
  }

  /**
   * A link with a token behind `#`, which browsers send to nobody.
   * @param returnTo as `check` gave it
   */
  link(page: PageName, token: string, returnTo: string | null): string {
    return returnTo === null
      ? `${this.ownUrl}/auth/pages/${page}#token=${token}`
      : `${returnTo}#token=${token}`;
  }

  /** Where a new password can be asked for. */
  get forgotPage(): string {
    return `${this.ownUrl}/auth/pages/reset`;
  }

  private get ownUrl(): string {
    const { publicUrl, port, host, tlsCertFile } = this.config;
    if (publicUrl !== null) return publicUrl;
    const server = this.adapterHost.httpAdapter?.getHttpServer() as Server | undefined;
    const address = server?.address() as AddressInfo | null | undefined;
    const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
    const authority = `${name.includes(':') ? `[${name}]` : name}:${address?.port ?? port}`;
    return `${tlsCertFile === null ? 'http' : 'https'}://${authority}`;
  }
}

/** Whether a token can follow, and the path is the same for every server. */
const takesToken = (url: URL): boolean =>
  !url.href.includes('#') && url.search === '' && !/%(2f|5c|2e)/i.test(url.pathname);
