import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * A record shop in a file of its own, the same every time: eight artists, their albums and tracks, two years of sales. In a fresh
 * private folder of the system's temporary one, which the caller removes.
 */
export async function createSample(): Promise<{ file: string; folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'patchbay-sqlite-'))
  const file = path.join(folder, 'record-shop.db')
  using database = new DatabaseSync(file)
  database.exec(schema)
  database.exec('BEGIN')
  fill(database)
  database.exec('COMMIT')
  return { file, folder }
}

const schema = `
  CREATE TABLE artists (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL
  ) STRICT;
  CREATE TABLE albums (
    id INTEGER PRIMARY KEY,
    artist_id INTEGER NOT NULL REFERENCES artists (id),
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    stock INTEGER NOT NULL DEFAULT 0 CHECK (stock >= 0)
  ) STRICT;
  CREATE TABLE tracks (
    id INTEGER PRIMARY KEY,
    album_id INTEGER NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    title TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    UNIQUE (album_id, position)
  ) STRICT;
  CREATE TABLE sales (
    id INTEGER PRIMARY KEY,
    album_id INTEGER NOT NULL REFERENCES albums (id),
    sold_on TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    city TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sales_by_date ON sales (sold_on);
  CREATE VIEW bestsellers AS
    SELECT albums.title, artists.name AS artist, sum(sales.quantity) AS sold
    FROM sales
    JOIN albums ON albums.id = sales.album_id
    JOIN artists ON artists.id = albums.artist_id
    GROUP BY albums.id
    ORDER BY sold DESC, albums.title;
`

const artists: readonly (readonly [
  name: string,
  country: string,
  albums: readonly (readonly [title: string, year: number])[],
])[] = [
  [
    'The Tin Lanterns',
    'Ireland',
    [
      ['Harbour Lights', 1998],
      ['Low Water', 2003],
    ],
  ],
  [
    'Marisol Vega',
    'Spain',
    [
      ['Ceniza', 2011],
      ['Casa de Sal', 2015],
      ['Nueve Lunas', 2021],
    ],
  ],
  [
    'Quiet Engine',
    'Germany',
    [
      ['Leerlauf', 1979],
      ['Kupfer', 1982],
    ],
  ],
  [
    'Ada Okonjo',
    'Nigeria',
    [
      ['Red Clay', 2018],
      ['Market Day', 2023],
    ],
  ],
  ['Northern Static', 'Norway', [['Signal', 2007]]],
  [
    'The Paper Kites Club',
    'Australia',
    [
      ['Windows', 2013],
      ['Folded', 2016],
    ],
  ],
  [
    'Hana Mori',
    'Japan',
    [
      ['Asagiri', 2009],
      ['Tokei', 2014],
    ],
  ],
  [
    'Delta Morning',
    'United States',
    [
      ['Levee Songs', 1969],
      ['Slow Train West', 1971],
    ],
  ],
]
const words = ['Morning', 'Glass', 'River', 'Paper', 'Ember', 'Hollow', 'Winter', 'Copper', 'Signal', 'Garden', 'Salt', 'Mirror']
const cities = ['Dublin', 'Hamburg', 'Porto', 'Bergen', 'Leeds']

/** Numbers follow from counters, so that every sample is the same and answers can be checked. */
function fill(database: DatabaseSync): void {
  const artist = database.prepare('INSERT INTO artists (name, country) VALUES (?, ?)')
  const album = database.prepare('INSERT INTO albums (artist_id, title, year, price_cents, stock) VALUES (?, ?, ?, ?, ?)')
  const track = database.prepare('INSERT INTO tracks (album_id, position, title, seconds) VALUES (?, ?, ?, ?)')
  const sale = database.prepare('INSERT INTO sales (album_id, sold_on, quantity, city) VALUES (?, ?, ?, ?)')

  let albumId = 0
  artists.forEach(([artistName, country, albums], index) => {
    artist.run(artistName, country)
    for (const [title, year] of albums) {
      albumId += 1
      album.run(index + 1, title, year, 899 + ((albumId * 7) % 5) * 300, (albumId * 5) % 13)
      for (let position = 1; position <= 5; position += 1) {
        const number = albumId * 5 + position
        const trackTitle = `${words[(number * 5) % words.length]} ${words[(number * 7 + albumId) % words.length]}`
        track.run(albumId, position, trackTitle, 140 + ((number * 37) % 200))
      }
    }
  })
  const days = 730
  for (let number = 0; number < 240; number += 1) {
    const day = new Date(Date.UTC(2024, 0, 1 + Math.floor((number * days) / 240))).toISOString().slice(0, 10)
    sale.run(1 + ((number * number + number * 3) % albumId), day, 1 + (number % 3), cities[(number * 3) % cities.length] ?? '')
  }
}
