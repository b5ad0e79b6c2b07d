import 'reflect-metadata';
import { Controller, Get, Post } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { Access } from '../common/http/index.js';
import { RouteDecisions } from './route-decisions.js';

@Controller('forgotten')
class ForgottenController {
  @Get('list')
  list(): string {
    return this.notARoute();
  }

  @Access('admin')
  @Post('decided')
  decided(): string {
    return '';
  }

  notARoute(): string {
    return '';
  }
}

@Access('public')
@Controller('decided')
class DecidedController {
  @Get()
  list(): string {
    return '';
  }
}

async function start(controllers: (typeof ForgottenController | typeof DecidedController)[]): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    controllers,
    providers: [RouteDecisions],
  }).compile();
  await module.init();
  await module.close();
}

describe('an application', () => {
  it('does not start with a route that nobody decided on, and names it', async () => {
    const starting = start([DecidedController, ForgottenController]);
    await expect(starting).rejects.toThrow('GET /forgotten/list (ForgottenController.list)');
    await expect(starting).rejects.not.toThrow('decided (');
  });

  it('starts where every route, or its controller, says who may call it', async () => {
    await expect(start([DecidedController])).resolves.toBeUndefined();
  });
});
