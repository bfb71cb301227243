export { type Branding, type Business, type BusinessSettings, defaultSettings } from './business.model.ts';
export { getBusiness, insertBusiness } from './business.store.ts';
