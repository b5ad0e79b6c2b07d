import { Controller, Get, Header, Param, Query, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../common/errors/index.js';
import { Access, refuseParameters } from '../../common/http/index.js';
import { SET_UP_POLICY } from '../first-run/set-up-page.js';
import { Languages } from './languages.decorator.js';
import { PAGE_ASSETS, renderPage } from './mail-pages.js';
import { PAGE_NAMES } from './return-urls.js';

/** The pages behind links in mails, for applications that have none of their own. */
@ApiExcludeController()
@Access('public', { credentials: 'ignored' })
@Controller({ path: 'auth/pages', version: VERSION_NEUTRAL })
export class MailPagesController {
  @Get(':name')
  @Header('referrer-policy', 'no-referrer')
  page(
    @Param('name') name: string,
    @Query() query: Record<string, unknown>,
    @Languages() languages: string,
    @Res() reply: FastifyReply,
  ): void {
    refuseParameters(query);
    const asset = PAGE_ASSETS.get(name);
    if (asset !== undefined) {
      void reply.header('content-type', asset.type).header('cache-control', 'no-cache').send(asset.content);
      return;
    }
    const page = PAGE_NAMES.find((known) => known === name);
    if (page === undefined) throw new Problem('not-found', { detail: 'There is nothing at this address.' });
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', SET_UP_POLICY)
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .header('vary', 'accept-language')
      .send(renderPage(page, /^\s*de\b/i.test(languages) ? 'de' : 'en'));
  }
}
