export { openDemo, startDemoServer } from './demo-server.js';
export { ForeignDatabaseError } from './demo.database.js';
export { DEMO_TOUR, printDemoTour, type DemoKeys, type DemoRequest } from './demo.tour.js';
