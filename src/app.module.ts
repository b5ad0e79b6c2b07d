import { Module, type DynamicModule } from '@nestjs/common';
import type { PrimaryLink } from './common/workers/index.js';
import { PlinthModule, type PlinthOptions } from './plinth.module.js';

/** The standalone server: what any host application does, and nothing else. */
@Module({})
export class AppModule {
  static forRoot(options: PlinthOptions = {}, primary: PrimaryLink | null = null): DynamicModule {
    return { module: AppModule, imports: [PlinthModule.forRoot(options, primary)] };
  }
}
