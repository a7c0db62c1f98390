import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { html, nothing } from './html.ts'

describe('a template of a page', () => {
  it('escapes whatever it is given, for text and for attributes, and nothing twice', () => {
    assert.equal(
      String(html`<p title="${'"x"'}">${"<b>&'"}</p>`),
      '<p title="&quot;x&quot;">&lt;b&gt;&amp;&#39;</p>',
    )
    assert.equal(String(html`<p>${html`<b>${'&'}</b>`}</p>`), '<p><b>&amp;</b></p>')
    assert.equal(String(html`${['<', html`<br>`, 1, 2n]}`), '&lt;<br>12')
    assert.equal(String(html`a${undefined}${null}${false}${nothing}b`), 'ab')
    assert.equal(String(html`${'a\u0000\u001bb\nc'}`), 'a\ufffd\ufffdb\nc')
  })

  it('takes for markup nothing but what a template made', () => {
    const forged = { toString: () => '<script>' } as unknown as string
    assert.throws(() => html`${forged}`, TypeError)
  })

  it('lets no text out of its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const written = String(html`<p title="${text}">${text}</p>`)
        assert.match(written, /^<p title="[^"<>]*">[^<>]*<\/p>$/)
      }),
    )
  })
})
