import { Controller, Get, Headers, Query, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Context, type RequestContext } from '../common/context/index.js';
import { Access, refuseParameters } from '../common/http/index.js';
import { Documents } from './documents.service.js';

const ETAG = { ETag: { description: 'Of the content.', schema: { type: 'string' as const } } };

/** The document of what the caller can do; everyone may ask, and sees no more than that. */
@ApiTags('documentation')
@Access('public')
@Controller({ version: VERSION_NEUTRAL })
export class OpenApiController {
  constructor(private readonly documents: Documents) {}

  @Get('openapi.json')
  @ApiOperation({
    summary: 'This document',
    description:
      'The OpenAPI document of what the caller can do: it differs by the credential that asks for it.',
  })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'An entity tag; if it still holds, 304.',
  })
  @ApiResponse({
    status: 200,
    description: 'The document.',
    headers: ETAG,
    content: { 'application/json': { schema: { type: 'object' } } },
  })
  @ApiResponse({ status: 304, description: 'The document is the one that the client has.', headers: ETAG })
  document(
    @Context() context: RequestContext,
    @Query() query: Record<string, unknown>,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res() reply: FastifyReply,
  ): void {
    refuseParameters(query);
    const { text, etag } = this.documents.getFor(context);
    void reply
      .header('etag', etag)
      .header('cache-control', 'private, no-cache')
      .header('vary', 'Authorization, X-API-Key');
    if (isNamed(ifNoneMatch, etag)) void reply.code(304).send();
    else void reply.header('content-type', 'application/json; charset=utf-8').send(text);
  }
}

const isNamed = (ifNoneMatch: string | undefined, etag: string): boolean =>
  (ifNoneMatch ?? '').split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
