import { Controller, Get, Param, Query, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Problem } from '../common/errors/index.js';
import { Access, refuseParameters } from '../common/http/index.js';
import { CONTENT_SECURITY_POLICY, findAsset, PAGE } from './swagger-ui.js';

const HOUR_SECONDS = 3600;

/** Swagger UI over the caller's document; it loads nothing from anywhere else. */
@ApiExcludeController()
@Access('public')
@Controller({ path: 'docs', version: VERSION_NEUTRAL })
export class DocsController {
  @Get()
  page(@Query() query: Record<string, unknown>, @Res() reply: FastifyReply): void {
    refuseParameters(query);
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cache-control', 'no-cache')
      .send(PAGE);
  }

  @Get(':file')
  asset(
    @Param('file') file: string,
    @Query() query: Record<string, unknown>,
    @Res() reply: FastifyReply,
  ): void {
    refuseParameters(query);
    const asset = findAsset(file);
    if (asset === null) throw new Problem('not-found', { detail: 'There is nothing at this address.' });
    void reply
      .header('content-type', asset.type)
      .header('cache-control', `public, max-age=${HOUR_SECONDS}`)
      .send(asset.content);
  }
}
