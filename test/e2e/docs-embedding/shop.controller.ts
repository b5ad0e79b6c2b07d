import { Controller, Get } from '@nestjs/common';
import { Access, Context, Database, Problem, type RequestContext } from '../../../src/index.js';

@Access('authenticated')
@Controller('shop')
export class ShopController {
  constructor(private readonly database: Database) {}

  @Access('public')
  @Get('opening-hours')
  openingHours() {
    return { monday: '8 to 18' };
  }

  @Get('me')
  me(@Context() { actor }: RequestContext) {
    return { kind: actor.kind, roles: actor.roles };
  }

  @Get('turnover')
  async turnover(@Context() { actor }: RequestContext) {
    if (!actor.roles.includes('analyst')) throw new Problem('forbidden', { detail: 'For analysts.' });
    const rows = await this.database.execute({ text: 'SELECT sum(total) FROM orders', values: [] });
    return { total: rows[0]?.[0] };
  }
}
