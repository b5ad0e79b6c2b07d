import {
  Catch,
  Injectable,
  Module,
  type ArgumentMetadata,
  type ArgumentsHost,
  type CallHandler,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { FastifyReply } from 'fastify';
import { tap, type Observable } from 'rxjs';
import { PlinthModule, type PlinthOptions } from '../../../src/index.js';
import { Member } from './member.entity.js';
import { MembersController, TeapotError } from './members.controller.js';

@Catch(TeapotError)
export class TeapotFilter implements ExceptionFilter {
  catch(_error: TeapotError, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().code(418).send({ isTeapot: true });
  }
}

/** Notes which handlers it saw, and marks their answers. */
@Injectable()
export class CountingInterceptor implements NestInterceptor {
  readonly seen: string[] = [];

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.seen.push(execution.getClass().name);
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(tap(() => void (reply.sent || reply.header('x-host', 'seen'))));
  }
}

/** Trims texts of the host's own bodies. */
@Injectable()
export class TrimmingPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type !== 'body' || typeof value !== 'object' || value === null || !('name' in value)) return value;
    if (typeof value.name === 'string') value.name = value.name.trim();
    return value;
  }
}

/** An application that somebody wrote before they heard of Plinth, with Plinth imported into it. */
@Module({})
export class HostModule {
  static forRoot(databaseUrl: string, options: PlinthOptions): DynamicModule {
    return {
      module: HostModule,
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: databaseUrl,
          applicationName: 'host',
          autoLoadEntities: true,
          synchronize: true,
        }),
        TypeOrmModule.forFeature([Member]),
        PlinthModule.forRoot(options),
      ],
      controllers: [MembersController],
      providers: [
        CountingInterceptor,
        { provide: APP_FILTER, useClass: TeapotFilter },
        { provide: APP_INTERCEPTOR, useExisting: CountingInterceptor },
        { provide: APP_PIPE, useClass: TrimmingPipe },
      ],
    };
  }
}
