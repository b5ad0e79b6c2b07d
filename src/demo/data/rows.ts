/** Rows of the sample database, named as its columns; amounts are exact texts, times are RFC 3339. */
export interface SupplierRow {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly contact_email: string;
  readonly certifications: readonly string[];
  readonly lead_time: string;
  readonly partner_since: string;
}

export interface CategoryRow {
  readonly id: number;
  readonly parent_id: number | null;
  readonly slug: string;
  readonly name: string;
  readonly position: number;
}

export interface ProductRow {
  readonly id: number;
  readonly sku: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly category_id: number;
  readonly supplier_id: number | null;
  readonly roast: 'light' | 'medium' | 'medium_dark' | 'dark' | null;
  readonly flavours: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly weight_grams: number | null;
  readonly price: string;
  readonly cost_price: string;
  readonly published_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface TagRow {
  readonly id: number;
  readonly name: string;
}

export interface ProductTagRow {
  readonly product_id: number;
  readonly tag_id: number;
}

export interface EmployeeRow {
  readonly id: number;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string;
  readonly job_title: string;
  readonly manager_id: number | null;
  readonly hired_on: string;
  readonly salary: string;
}

export interface CustomerRow {
  readonly id: number;
  readonly kind: 'retail' | 'wholesale';
  readonly first_name: string;
  readonly last_name: string;
  readonly company: string | null;
  readonly email: string;
  readonly phone: string | null;
  readonly country: string;
  readonly preferences: Readonly<Record<string, unknown>>;
  readonly is_subscribed: boolean;
  readonly staff_note: string | null;
  readonly joined_at: string;
}

export interface AddressRow {
  readonly id: number;
  readonly customer_id: number;
  readonly label: string;
  readonly street: string;
  readonly postal_code: string;
  readonly city: string;
  readonly country: string;
  readonly is_default: boolean;
}

export type OrderStatus = 'pending' | 'paid' | 'packed' | 'shipped' | 'delivered' | 'cancelled' | 'refunded';

export interface OrderRow {
  readonly id: number;
  readonly number: string;
  readonly customer_id: number;
  readonly address_id: number | null;
  readonly handled_by_id: number | null;
  readonly channel: 'web' | 'shop' | 'wholesale';
  readonly status: OrderStatus;
  readonly subtotal: string;
  readonly discount: string;
  readonly shipping: string;
  readonly note: string | null;
  readonly ordered_at: string;
  readonly paid_at: string | null;
  readonly shipped_at: string | null;
  readonly delivered_at: string | null;
  readonly cancelled_at: string | null;
}

export interface OrderItemRow {
  readonly order_id: number;
  readonly line_no: number;
  readonly product_id: number;
  readonly quantity: number;
  readonly unit_price: string;
}

export interface PaymentRow {
  readonly id: string;
  readonly order_id: number;
  readonly method: 'card' | 'wallet' | 'bank_transfer' | 'cash';
  readonly status: 'captured' | 'failed' | 'refunded';
  readonly amount: string;
  readonly reference: string;
  readonly processed_at: string;
  readonly refunded_at: string | null;
}

export interface ReviewRow {
  readonly id: number;
  readonly product_id: number;
  readonly customer_id: number;
  readonly author_name: string;
  readonly author_email: string;
  readonly rating: number;
  readonly title: string;
  readonly body: string;
  readonly status: 'pending' | 'published' | 'rejected';
  readonly created_at: string;
}

export interface StockMovementRow {
  readonly id: number;
  readonly product_id: number;
  readonly order_id: number | null;
  readonly employee_id: number | null;
  readonly reason: 'purchase' | 'sale' | 'return' | 'correction';
  readonly quantity: number;
  readonly moved_at: string;
}

/** All rows by table, in an order in which they can be inserted. */
export interface DemoRows {
  readonly suppliers: readonly SupplierRow[];
  readonly categories: readonly CategoryRow[];
  readonly products: readonly ProductRow[];
  readonly tags: readonly TagRow[];
  readonly product_tags: readonly ProductTagRow[];
  readonly employees: readonly EmployeeRow[];
  readonly customers: readonly CustomerRow[];
  readonly addresses: readonly AddressRow[];
  readonly orders: readonly OrderRow[];
  readonly order_items: readonly OrderItemRow[];
  readonly payments: readonly PaymentRow[];
  readonly reviews: readonly ReviewRow[];
  readonly stock_movements: readonly StockMovementRow[];
}
