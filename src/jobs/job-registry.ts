import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { JobDefinition } from './job-definition.js';

/** Also the limit of the queue's tables. */
const NAME = /^[a-z][a-z0-9.-]{0,99}$/;

/** Every kind of job of the application: all providers that are a `JobDefinition`, whichever module they are of. */
@Injectable()
export class JobRegistry implements OnModuleInit {
  private readonly byName = new Map<string, JobDefinition>();

  constructor(private readonly discovery: DiscoveryService) {}

  /** @throws Error for two definitions of one name, or a name that is none */
  onModuleInit(): void {
    for (const { instance } of this.discovery.getProviders()) {
      if (!(instance instanceof JobDefinition)) continue;
      const { name } = instance;
      if (!NAME.test(name))
        throw new Error(`A job is called ${JSON.stringify(name)}; it must match ${NAME}.`);
      const known = this.byName.get(name);
      if (known !== undefined && known !== instance) throw new Error(`There are two jobs called "${name}".`);
      this.byName.set(name, instance);
    }
  }

  list(): readonly JobDefinition[] {
    return [...this.byName.values()];
  }

  find(name: string): JobDefinition | undefined {
    return this.byName.get(name);
  }

  /** @throws Error where the class is no provider of a module */
  get<Payload extends object>(definition: Type<JobDefinition<Payload>>): JobDefinition<Payload> {
    const known: readonly unknown[] = this.list();
    for (const job of known) {
      if (job instanceof definition) return job;
    }
    throw new Error(`${definition.name} is not a provider of any module.`);
  }
}
