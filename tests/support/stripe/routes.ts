/** routes — every operation that the fake knows. */
import { customerRoutes } from './resources/customers.ts';
import { eventRoutes } from './resources/events.ts';
import { meterEventRoutes } from './resources/meter-events.ts';
import { meterRoutes } from './resources/meters.ts';
import { priceRoutes } from './resources/prices.ts';
import { productRoutes } from './resources/products.ts';
import type { Route } from './route.ts';

export const ROUTES: readonly Route[] = [
  ...customerRoutes,
  ...eventRoutes,
  ...meterEventRoutes,
  ...meterRoutes,
  ...priceRoutes,
  ...productRoutes,
];
