import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { linksIn } from '../html/links.ts'
import { mainContent } from '../html/main-content.ts'
import { toMarkdown } from '../html/markdown.ts'
import { parseHtml } from '../html/parse.ts'

const folder = path.join(import.meta.dirname, 'pages')
const base = 'https://example.com/news/tide.html'

/** The main content of a fixture, or of some HTML. */
const read = (html: string) => {
  const page = parseHtml(html)
  return toMarkdown(mainContent(page.body), URL.parse(page.base ?? '', base)?.href ?? base)
}

suite('a page becomes Markdown', () => {
  for (const name of ['article', 'reference', 'teasers'])
    test(`as it is written down for ${name}.html`, (t) => {
      const markdown = read(readFileSync(path.join(folder, `${name}.html`), 'utf8'))
      t.assert.fileSnapshot(markdown, path.join(folder, `${name}.snapshot.md`), { serializers: [String] })
    })

  const written: readonly (readonly [what: string, html: string, markdown: string])[] = [
    ['spaces outside the marks', '<p>a<b> b </b>c<i>d </i></p>', 'a **b** c*d*'],
    ['marks once', '<p><b><strong>x</strong></b></p>', '**x**'],
    ['a line of its own for each break', '<p>a<br/> b<br><br>c</p>', 'a  \nb\n\nc'],
    ['code that holds backticks', '<p><code>a `b`</code></p>', '`` a `b` ``'],
    [
      'no markup from text',
      '<p>**x** _y_ [z](u) `c` \\ a_b_c 2*3 &amp;lt;</p>',
      '\\*\\*x\\*\\* \\_y\\_ \\[z\\](u) \\`c\\` \\\\ a_b_c 2\\*3 \\&lt;',
    ],
    ['no HTML from text', '<p>&lt;script&gt;alert(1)&lt;/script&gt; 1 &lt; 2</p>', '\\<script>alert(1)\\</script> 1 < 2'],
    [
      'no blocks from the beginning of lines',
      '<p>&gt; a<br>+ b<br>=== c<br>2) d<br>-5</p>',
      '\\> a  \n\\+ b  \n\\=== c  \n2\\) d  \n-5',
    ],
    ['headings of one line', '<h2>a<br>b <b>c</b></h2><h3> </h3>', '## a b **c**'],
    ['a link that cannot break out', '<a href="https://x.example/a(b)|c">t]e</a>', '[t\\]e](https://x.example/a%28b%29%7Cc)'],
    [
      'only links that lead to pages or mail',
      '<a href="javascript:alert(1)">a</a> <a href="data:text/html,x">b</a> <a href="file:///etc">c</a> <a>d</a>',
      'a b c d',
    ],
    ['an address once', '<a href="https://x.example/">https://x.example/</a>', '<https://x.example/>'],
    ['links around spaces', '<p>see<a href="/x"> this </a>now</p>', 'see [this](https://example.com/x) now'],
    [
      'pictures by what they show',
      '<img src="a.png" alt="A [1]"><img src="b.png" alt=""><img alt="no source">',
      '![A \\[1\\]](https://example.com/news/a.png)no source',
    ],
    ['lists in lists', '<ul><li>a<ol><li>b<li>c</ol><li>d</ul>', '- a\n  1. b\n  2. c\n- d'],
    ['what stands in a list outside items', '<ul>text<p>para</p><li>item</ul>', '- text\n- para\n- item'],
    ['quotes in quotes', '<blockquote>a<blockquote>b</blockquote></blockquote>', '> a\n>\n> > b'],
    ['a table without a head', '<table><tr><td>1<td>2<tr><td>3<td>4|5</table>', '| 1 | 2 |\n| --- | --- |\n| 3 | 4\\|5 |'],
    ['a table of one cell as its content', '<table><tr><td><p>a<p>b</table>', 'a\n\nb'],
    ['no hidden characters', '<p>a\u200bb\u202ec\u{e0041}d&#0;e&shy;f</p>', 'abcd\ufffdef'],
    [
      'nothing of scripts, styles, controls and templates',
      '<script>a</script><style>b</style><template><p>c</template><button>d</button><select><option>e</select><p>f',
      'f',
    ],
    [
      'nothing that people do not see',
      '<p hidden>a</p><p aria-hidden=true>b<i>c</i></p><p style="VISIBILITY : hidden">d</p><p style="font-size:0">e</p><p style="opacity:0.9">f',
      'f',
    ],
    ['text without any element', 'just text', 'just text'],
    ['nothing for nothing', '', ''],
  ]
  for (const [what, html, markdown] of written) test(`with ${what}`, () => assert.equal(read(html), markdown))
})

suite('the main content', () => {
  const long = 'Words that go on for long enough to be taken for what the page is about. '.repeat(3)

  test('is main, before anything around it', () => {
    assert.equal(read(`<nav>n</nav><article>${long}</article><main><p>${long}</p></main>`), long.trim())
  })
  test('is the only long article', () => {
    assert.equal(
      read(`<p>around</p><article><header>Title</header>${long}</article><article>short</article>`),
      `Title\n\n${long.trim()}`,
    )
  })
  test('is everything but the frame where nothing says what it is', () => {
    assert.equal(
      read('<header>h</header><p>one</p><aside>a</aside><p>two</p><div role=navigation>n</div><footer>f</footer>'),
      'one\n\ntwo',
    )
  })
  test('is the page where only a frame would be left', () => {
    assert.equal(read('<nav>all there is</nav>'), 'all there is')
  })
  test('is not an empty main that a script would have filled', () => {
    assert.equal(read('<main></main><p>static text</p>'), 'static text')
  })
})

suite('a page that means harm', () => {
  const depth = '<div>'.repeat(100_000)
  const pages: readonly (readonly [what: string, html: string])[] = [
    ['nests without end', `<p>first</p>${depth}x`],
    ['nests lists and quotes without end', `<p>first</p>${'<ul><li><blockquote>'.repeat(50_000)}x`],
    ['never closes what it opens', `<p>first</p>${'<table><tr><td><b><i>'.repeat(20_000)}`],
    ['holds two hundred thousand links', `<p>first</p>${'<a href=/x>y</a>'.repeat(200_000)}`],
    ['ends in a tag', '<p>first</p><a href="'],
    ['is one long run of spaces', `<p>first</p>${' \t'.repeat(500_000)}x`],
  ]
  for (const [what, html] of pages)
    test(`and ${what} is read as far as it makes sense`, () => {
      assert.match(read(html), /^first/)
    })

  test('never gets markup or a link to a script through', () => {
    const pieces = fc.constantFrom(
      ...'<a href="javascript:x">,<a href="jAvAsCrIpT&colon;x">,<p>,</p>,<b>,</i>,<table><tr><td>,<td>,<pre>,<code>,`,```,](javascript:x),[x](,<br>,\n,|,&lt;script&gt;,<ul><li>,<blockquote>,text,&#13;,#,1.,<img alt="](javascript:x)" src=x>,<h1>,<![CDATA[,-->,<!--'.split(
        ',',
      ),
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const markdown = read(parts.join(''))
        // Escapes first: no piece brings a backslash, so none stands in code.
        const markup = markdown.replace(/\\[^\w\s]/g, '').replace(/(`+)[^]*?(?<!`)\1(?!`)/g, '')
        assert.doesNotMatch(markup, /\]\(\s*javascript:|<script/i)
        assert.doesNotMatch(markdown, /undefined|\[object/)
      }),
      { numRuns: 2_000 },
    )
  })
})

test('lists each address once, in the order of the page, absolute, with the first text that has any', () => {
  const { body } = parseHtml(
    '<a href="/b"><img src=x></a><a href="a">A  <b>one</b></a><a href="/b" title="t">B</a><a href="#here">no</a><a href="mailto:x@y.example">mail</a><a href="/i"><img alt="Pic"></a>',
  )
  assert.deepEqual(linksIn(body, base), [
    { text: 'B', url: 'https://example.com/b' },
    { text: 'A one', url: 'https://example.com/news/a' },
    { text: 'mail', url: 'mailto:x@y.example' },
    { text: 'Pic', url: 'https://example.com/i' },
  ])
})
