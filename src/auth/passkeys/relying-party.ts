import { Injectable } from '@nestjs/common';
import { PlinthConfig } from '../../common/config/index.js';
import { serviceName } from '../service-name.js';

const LOCAL_DOMAIN = 'localhost';
/** Where people develop, pages come from ports of all kinds. */
const LOCAL_ORIGIN = /^http:\/\/localhost(:\d{1,5})?$/;

/**
 * What passkeys are bound to, and on whose pages they may be used: always what is configured, never what a request says of
 * itself.
 */
@Injectable()
export class RelyingParty {
  /** The domain (`rp.id`). */
  readonly id: string;
  readonly name: string;
  private readonly origins: readonly string[];
  private readonly isLocal: boolean;

  constructor(config: PlinthConfig) {
    const { passkeyDomain, passkeyOrigins, publicUrl } = config;
    this.name = serviceName(config);
    this.id = passkeyDomain ?? (publicUrl === null ? LOCAL_DOMAIN : new URL(publicUrl).hostname);
    const own = publicUrl === null ? [] : [new URL(publicUrl).origin];
    this.origins = passkeyOrigins.length > 0 ? passkeyOrigins : own;
    this.isLocal = this.origins.length === 0 && this.id === LOCAL_DOMAIN;
  }

  isOrigin(origin: string): boolean {
    return this.isLocal ? LOCAL_ORIGIN.test(origin) : this.origins.includes(origin);
  }
}
