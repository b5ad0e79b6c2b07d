import { Controller, Get, Param, Query, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../common/errors/index.js';
import { Access, refuseParameters } from '../../common/http/index.js';
import { SET_UP_ASSETS, SET_UP_PAGE, SET_UP_POLICY } from './set-up-page.js';

/** The page behind the set-up link. */
@ApiExcludeController()
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth/set-up', version: VERSION_NEUTRAL })
export class SetUpPageController {
  @Get()
  page(@Query() query: Record<string, unknown>, @Res() reply: FastifyReply): void {
    refuseParameters(query);
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', SET_UP_POLICY)
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .send(SET_UP_PAGE);
  }

  @Get(':file')
  asset(
    @Param('file') file: string,
    @Query() query: Record<string, unknown>,
    @Res() reply: FastifyReply,
  ): void {
    refuseParameters(query);
    const asset = SET_UP_ASSETS.get(file);
    if (asset === undefined) throw new Problem('not-found', { detail: 'There is nothing at this address.' });
    void reply.header('content-type', asset.type).header('cache-control', 'no-cache').send(asset.content);
  }
}
