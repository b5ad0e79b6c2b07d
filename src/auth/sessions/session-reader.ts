import { Injectable } from '@nestjs/common';
import type { Recognised, SessionRecogniser } from '../../access/index.js';
import { AccessTokens } from '../tokens/access-tokens.service.js';
import { SessionDirectory, type LiveSession } from './session-directory.js';

/** Tells the guard whose session a credential is of. */
@Injectable()
export class SessionReader implements SessionRecogniser {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionDirectory,
  ) {}

  findByToken(token: string): Recognised | Promise<Recognised> {
    return this.tokens.recognise(token);
  }

  /** Nobody types a cookie: one that is not known was known once, or is the browser's from another time. */
  findByCookie(value: string): Recognised | Promise<Recognised> {
    const found = this.sessions.findByCookie(value);
    return found instanceof Promise ? found.then((session) => this.admit(session)) : this.admit(found);
  }

  private admit(session: LiveSession | null): Recognised {
    if (session === null) return 'ended';
    this.sessions.touch(session);
    return session.actor;
  }
}
