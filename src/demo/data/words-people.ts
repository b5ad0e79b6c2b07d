export const FIRST_NAMES: readonly string[] =
  `Ada Aiko Alba Amara Amir Ana Anders Anouk Arjun Astrid Bao Bea Bruno Camille Carla Chidi Clara Dario Dilan Edda
  Elif Emil Enzo Esra Farah Felix Finn Freya Gita Greta Hanna Hugo Ida Ilya Ines Iris Ivo Jana Jonas Jules Kai Karim
  Katya Kofi Lars Leila Lena Levi Lia Linus Luca Luz Mads Maja Malik Mara Marek Maya Mei Milan Mina Nadia Nils Noor
  Nora Olaf Olga Omar Otto Pablo Petra Pia Quinn Rafael Raj Rania Rosa Ruben Saba Samir Sana Sofia Stella Sven Tara
  Theo Tomas Uma Vera Viktor Wanda Wim Xenia Yara Yusuf Zita Zoe`.split(/\s+/);

export const LAST_NAMES: readonly string[] =
  `Aalto Abara Adler Almeida Andersen Banerjee Barros Bauer Becker Bernard Bianchi Blom Brandt Castro Chen Costa Dahl
  Demir Diaz Dubois Eklund Ferrari Fischer Fonseca Fuchs Garcia Girard Gomes Haddad Hansen Hartmann Hoang Holm Ito
  Jansen Jensen Kaya Keller Khan Koch Kowalski Kruger Lambert Larsen Lefevre Lind Lopez Maas Marino Martin Mbeki Meyer
  Moreau Moreno Nakata Nguyen Nielsen Novak Okafor Olsen Ortega Park Patel Peeters Pereira Petrov Pham Popov Ricci
  Rivera Romano Rossi Roy Ruiz Sato Schmidt Silva Singh Sorensen Sousa Strand Svensson Tanaka Torres Vargas Verma
  Visser Vogel Weber Wolf Wong Yilmaz Zhang Zimmer`.split(/\s+/);

export const COMPANIES: readonly string[] = [
  'Blue Door Café',
  'Bakery Krumme',
  'The Reading Room',
  'Hotel Meridian',
  'Station Kiosk 4',
  'Kantine am Kanal',
  'Studio Lumen',
  'Gallery North',
  'Bicycle Kitchen',
  'Corner & Co.',
  'Greenhouse Deli',
  'Little Harbour Bistro',
  'Weaver Street Offices',
  'Papaya Brunch Bar',
  'Old Mill Guesthouse',
  'Codeworks Cooperative',
  'Saint Anne Clinic Canteen',
  'Cinema Aurora',
];

export interface Place {
  readonly country: string;
  readonly dialling: string;
  /** Towns with the way their postal codes begin; the rest of a code is drawn digit by digit for each `#`. */
  readonly towns: readonly (readonly [string, string])[];
  readonly streets: readonly string[];
  /** How many customers live there, against the others. */
  readonly weight: number;
}

export const PLACES: readonly Place[] = [
  {
    country: 'DE',
    dialling: '+49',
    weight: 46,
    towns: [
      ['Hamburg', '20###'],
      ['Bremen', '28###'],
      ['Berlin', '10###'],
      ['Kiel', '24###'],
      ['Leipzig', '04###'],
    ],
    streets: ['Hafenstraße', 'Lindenallee', 'Am Speicher', 'Mühlenweg', 'Ringstraße', 'Gartenstraße'],
  },
  {
    country: 'DK',
    dialling: '+45',
    weight: 16,
    towns: [
      ['Aarhus', '80##'],
      ['København', '21##'],
      ['Odense', '50##'],
    ],
    streets: ['Havnegade', 'Søndergade', 'Møllevej', 'Kirkestien'],
  },
  {
    country: 'NL',
    dialling: '+31',
    weight: 14,
    towns: [
      ['Groningen', '97## AB'],
      ['Utrecht', '35## CD'],
      ['Amsterdam', '10## GH'],
    ],
    streets: ['Havenkade', 'Molenstraat', 'Lange Gracht', 'Tuinweg'],
  },
  {
    country: 'FR',
    dialling: '+33',
    weight: 9,
    towns: [
      ['Lille', '59###'],
      ['Nantes', '44###'],
    ],
    streets: ['Rue du Port', 'Rue des Tilleuls', 'Quai Neuf'],
  },
  {
    country: 'SE',
    dialling: '+46',
    weight: 8,
    towns: [
      ['Malmö', '21# ##'],
      ['Göteborg', '41# ##'],
    ],
    streets: ['Hamngatan', 'Kvarnvägen', 'Björkgatan'],
  },
  {
    country: 'AT',
    dialling: '+43',
    weight: 7,
    towns: [
      ['Wien', '10##'],
      ['Graz', '80##'],
    ],
    streets: ['Am Graben', 'Mühlgasse', 'Ringweg'],
  },
];

export const STAFF_NOTES: readonly string[] = [
  'Likes a call before delivery.',
  'Asked twice about decaf; tell them when the new one is in.',
  'Parcel goes to the neighbour on the left.',
  'Complained about a torn bag in spring, got a voucher.',
  'Knows more about roasting than we do.',
];
