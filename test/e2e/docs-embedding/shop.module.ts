import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PlinthModule, type PlinthOptions } from '../../../src/index.js';
import { ShopController } from './shop.controller.js';
import { Visit } from './visit.entity.js';
import { VisitsController } from './visits.controller.js';

@Module({})
export class ShopModule {
  static forRoot(options: PlinthOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [
        PlinthModule.forRoot(options),
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: process.env['DATABASE_URL'],
          autoLoadEntities: true,
          synchronize: true,
        }),
        TypeOrmModule.forFeature([Visit]),
      ],
      controllers: [ShopController, VisitsController],
    };
  }
}
