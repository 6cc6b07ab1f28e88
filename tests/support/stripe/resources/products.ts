/** products — what is sold. One that has a price can be archived, never deleted. */
import type Stripe from 'stripe';
import type { Account, Product } from '../account.ts';
import { announce, change } from '../announce.ts';
import { page } from '../page.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { emptyable, mergeMetadata } from '../wire.ts';

export const productRoutes = [
  route<Stripe.ProductCreateParams>('POST /v1/products', ({ account, params }) => newProduct(account, params)),
  route('GET /v1/products/{}', ({ account, id }) => account.products.get(id)),
  route<Stripe.ProductUpdateParams>('POST /v1/products/{}', update),
  route('DELETE /v1/products/{}', remove),
  route<Stripe.ProductListParams>('GET /v1/products', ({ account, params, url }) => {
    const { active, ids } = params;
    const fits = (product: Product) =>
      (active === undefined || product.active === active) && (ids === undefined || ids.includes(product.id));
    return page(account.products.all(fits), params, url);
  }),
  route<Stripe.ProductSearchParams>('GET /v1/products/search', ({ account, params, url }) =>
    search(account.products.all(), params, url),
  ),
];

type NewProduct = Pick<
  Call<Stripe.ProductCreateParams>['params'],
  'id' | 'name' | 'active' | 'description' | 'images' | 'metadata' | 'statement_descriptor' | 'unit_label' | 'url'
>;

export function newProduct(account: Account, params: NewProduct): Product {
  const id = params.id ?? account.newId('prod');
  if (account.products.find(id))
    throw invalid(`Product already exists: ${id}`, { code: 'resource_already_exists', param: 'id' });
  const product: Product = {
    id,
    object: 'product',
    active: params.active ?? true,
    created: account.now(),
    default_price: null,
    description: params.description ?? null,
    images: params.images ?? [],
    livemode: false,
    marketing_features: [],
    metadata: mergeMetadata(null, params.metadata),
    name: params.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: params.statement_descriptor ?? null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: params.unit_label ?? null,
    updated: account.now(),
    url: params.url ?? null,
  };
  announce(account, 'product.created', account.products.add(product));
  return product;
}

function update({ account, params, id }: Call<Stripe.ProductUpdateParams>): Product {
  const product = account.products.get(id);
  const { name, active, description, unit_label, url, metadata, default_price } = params;
  return change(account, 'product.updated', product, {
    updated: account.now(),
    name,
    active,
    description: emptyable(description),
    unit_label: emptyable(unit_label),
    url: emptyable(url),
    metadata: mergeMetadata(product.metadata, metadata),
    default_price: default_price === undefined ? undefined : account.prices.get(default_price, 'default_price').id,
  });
}

function remove({ account, id }: Call): unknown {
  const product = account.products.get(id);
  if (account.prices.all((price) => price.product === id).length > 0) {
    throw invalid('This product cannot be deleted because it has one or more user-created prices.');
  }
  account.products.remove(id);
  announce(account, 'product.deleted', product);
  return { id, object: 'product', deleted: true };
}
