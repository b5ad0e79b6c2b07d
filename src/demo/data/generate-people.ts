import { DAY_MS, HOUR_MS, dayText, slugText, timeText } from './money-and-time.js';
import type { AddressRow, CustomerRow, EmployeeRow } from './rows.js';
import type { SeededRandom } from './seeded-random.js';
import { COMPANIES, FIRST_NAMES, LAST_NAMES, PLACES, STAFF_NOTES, type Place } from './words-people.js';

const RETAIL_CUSTOMERS = 220;

const STAFF: readonly (readonly [
  first: string,
  last: string,
  title: string,
  manager: string | null,
  salary: string,
])[] = [
  ['Runa', 'Thorsen', 'Owner', null, '68000.00'],
  ['Mateo', 'Salgado', 'Head of roasting', 'Runa', '52500.00'],
  ['Ingrid', 'Falk', 'Head of the shop', 'Runa', '46800.00'],
  ['Tariq', 'Aziz', 'Head of shipping', 'Runa', '45200.00'],
  ['Colette', 'Marchand', 'Wholesale account manager', 'Runa', '47900.50'],
  ['Jun', 'Okada', 'Roaster', 'Mateo', '39800.00'],
  ['Wilma', 'Brink', 'Roaster', 'Mateo', '38400.00'],
  ['Dita', 'Horak', 'Barista', 'Ingrid', '31200.00'],
  ['Sol', 'Navarro', 'Barista', 'Ingrid', '30650.75'],
  ['Bengt', 'Lowe', 'Barista', 'Ingrid', '29900.00'],
  ['Amina', 'Diallo', 'Shipping clerk', 'Tariq', '30200.00'],
  ['Pavel', 'Dvorak', 'Shipping clerk', 'Tariq', '29800.00'],
];

/** Who works here; everybody was hired before the records begin. */
export function generateEmployees(random: SeededRandom, startMs: number): EmployeeRow[] {
  return STAFF.map(([first, last, title, manager, salary], index) => ({
    id: index + 1,
    first_name: first,
    last_name: last,
    email: `${slugText(first)}@saltmarsh.example`,
    job_title: title,
    manager_id: manager === null ? null : STAFF.findIndex(([name]) => name === manager) + 1,
    hired_on: dayText(startMs - (STAFF.length - index) * random.int(60, 180) * DAY_MS),
    salary,
  }));
}

export interface People {
  readonly customers: readonly CustomerRow[];
  readonly addresses: readonly AddressRow[];
}

/**
 * Customers and where they live. The first one was there before the records begin, so that examples can rely on a
 * customer with a long history.
 */
export function generatePeople(random: SeededRandom, startMs: number, endMs: number): People {
  const names = new Set<string>();
  const addresses: AddressRow[] = [];
  const customers = Array.from({ length: RETAIL_CUSTOMERS + COMPANIES.length }, (_, index): CustomerRow => {
    const place = random.pickWeighted(PLACES, ({ weight }) => weight);
    // Wholesale customers are spread evenly among the others.
    const company = index % 13 === 6 ? (COMPANIES[Math.floor(index / 13)] ?? null) : null;
    const [first, last] = newName(random, names);
    const id = index + 1;
    addresses.push(...addressesOf(random, id, company, place, addresses.length));
    return {
      id,
      kind: company === null ? 'retail' : 'wholesale',
      first_name: first,
      last_name: last,
      company,
      email: `${slugText(first)}.${slugText(last)}@${company === null ? random.pick(MAIL_HOSTS) : `${slugText(company)}.example`}`,
      phone:
        random.chance(0.6) || company !== null
          ? `${place.dialling} 555 ${random.int(100_000, 999_999)}`
          : null,
      country: place.country,
      preferences: preferences(random),
      is_subscribed: random.chance(0.42),
      staff_note: random.chance(0.06) ? random.pick(STAFF_NOTES) : null,
      joined_at: timeText(
        index === 0 ? startMs - 30 * DAY_MS + 9 * HOUR_MS : joiningTime(random, startMs, endMs),
      ),
    };
  });
  return { customers, addresses };
}

/** Reserved for examples (RFC 2606), so that no mail can ever reach anybody. */
const MAIL_HOSTS = ['example.com', 'example.org', 'example.net'];

function newName(random: SeededRandom, taken: Set<string>): readonly [string, string] {
  for (;;) {
    const first = random.pick(FIRST_NAMES);
    const last = random.pick(LAST_NAMES);
    if (taken.has(`${first} ${last}`)) continue;
    taken.add(`${first} ${last}`);
    return [first, last];
  }
}

function joiningTime(random: SeededRandom, startMs: number, endMs: number): number {
  const day = random.chance(0.35)
    ? startMs - random.int(1, 700) * DAY_MS
    : startMs + Math.floor(random.next() * 0.97 * ((endMs - startMs) / DAY_MS)) * DAY_MS;
  return day + Math.floor(random.around(7, 23) * HOUR_MS);
}

function preferences(random: SeededRandom): CustomerRow['preferences'] {
  if (random.chance(0.3)) return {};
  return {
    grind: random.pick(['whole beans', 'whole beans', 'filter', 'espresso', 'press']),
    ...(random.chance(0.5) ? { brewer: random.pick(['cone', 'press', 'stovetop', 'machine']) } : {}),
    ...(random.chance(0.3)
      ? { newsletter: random.sample(['new coffees', 'courses', 'sales'], random.int(1, 2)) }
      : {}),
  };
}

function addressesOf(
  random: SeededRandom,
  customerId: number,
  company: string | null,
  place: Place,
  countBefore: number,
): AddressRow[] {
  const labels = company === null ? ['home', 'work'] : ['delivery', 'office'];
  const count = random.chance(0.24) ? 2 : 1;
  return labels.slice(0, count).map((label, index) => {
    const [city, codePattern] = random.pick(place.towns);
    return {
      id: countBefore + index + 1,
      customer_id: customerId,
      label,
      street: `${random.pick(place.streets)} ${random.int(1, 120)}`,
      postal_code: codePattern.replace(/#/g, () => String(random.int(0, 9))),
      city,
      country: place.country,
      is_default: index === 0,
    };
  });
}
