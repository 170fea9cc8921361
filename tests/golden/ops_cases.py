"""Calls of keras.ops, as expressions: "take(x, [2, 0], axis=1)". Names are functions of ops and the arrays of ARRAYS."""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(20)


def _f(*shape, low=None):
    x = _rng.normal(size=shape) if low is None else _rng.uniform(low, low + 2.0, size=shape)
    return np.round(x, 3).astype(np.float32)


ARRAYS = {
    "x": _f(3, 5), "y": _f(3, 5), "row": _f(5), "z": _f(2, 3, 4), "p": _f(3, 5, low=0.1), "u": np.round(_rng.uniform(-0.9, 0.9, (3, 5)), 3).astype(np.float32),
    "a": np.array([[1.5, np.nan, -np.inf], [0.0, np.inf, -2.5]], np.float32),
    "i": np.array([[7, -3, 0, 2], [5, 9, -8, 4]], np.int32), "j": np.array([2, -3, 4, 3], np.int32), "n": np.array([3, 1, 4, 1, 5], np.int32),
    "b": np.array([[True, False, True], [False, False, True]]), "c": np.array([True, False, True]),
    "m": _f(4, 4), "v": _f(3), "w": _f(3), "labels": np.array([1, 4, 0], np.int32), "ids": np.array([0, 2, 0], np.int32),
    "prob": np.array([[0.7, 0.1, 0.1, 0.05, 0.05], [0.2, 0.3, 0.1, 0.1, 0.3], [0.0, 0.0, 1.0, 0.0, 0.0]], np.float32),
    "hot": np.eye(5, dtype=np.float32)[[1, 4, 0]], "image": _f(1, 4, 4, 8), "q": _f(2, 3, 2, 4), "k": _f(2, 5, 2, 4),
}  # fmt: skip
ARRAYS["pair"] = np.array([[0, 1], [2, 3], [0, 1]], np.int32)
ARRAYS["upd"] = _f(3)

_UNARY = """absolute(x) abs(i) negative(i) sign(i) square(i) square(x) sqrt(p) rsqrt(p) reciprocal(p) exp(x) expm1(x) log(p) log1p(p)
log2(p) log10(p) exp2(x) sin(x) cos(x) tan(u) arcsin(u) arccos(u) arctan(x) sinh(x) cosh(x) tanh(x) arcsinh(x) arccosh(p+1) arctanh(u)
floor(x) ceil(x) trunc(x) round(x) round(x,1) cbrt(x) erf(x) erfc(x) erfinv(u) isnan(a) isinf(a) isfinite(a) isposinf(a) isneginf(a) signbit(a)
nan_to_num(a) nan_to_num(a,nan=1.0,posinf=2.0,neginf=-3.0) deg2rad(x) rad2deg(x) sinc(x) logical_not(b) bitwise_not(i) fabs(i) real(x) imag(x) conj(x)
isreal(x) angle(x) swish(x) hard_swish(x) sigmoid(x) softmax(x) softmax(x,axis=0) log_softmax(x) relu(x) softplus(x) silu(x) gelu(x) sqrt(n) exp(n) log(n)"""
_BINARY = """add(x,row) subtract(i,j) multiply(i,j) multiply(x,2) divide(i,j) true_divide(x,p) floor_divide(i,j) floor_divide(x,p) mod(i,j) mod(x,p) fmod(x,p)
power(p,x) power(i,2) maximum(i,j) minimum(i,j) maximum(x,y) fmax(x,y) fmin(x,y) arctan2(x,y) hypot(x,y) logaddexp(x,y) logaddexp2(x,y) heaviside(x,y) ldexp(x,n)
equal(i,j) not_equal(i,j) less(i,j) less_equal(i,j) greater(i,j) greater_equal(i,j) less(x,row) logical_and(b,c) logical_or(b,c) logical_xor(b,c)
bitwise_and(i,j) bitwise_or(i,j) bitwise_xor(i,j) bitwise_left_shift(i,3) bitwise_right_shift(i,1) left_shift(n,2) right_shift(n,1) divide_no_nan(x,relu(y))
isclose(x,x+1e-9) allclose(x,y) isin(n,[1,5]) add(n,x) add(b,i[:,:3]) subtract(x,n) clip(x,-0.5,0.5) clip(i,-2,5) clip(x,0,1) where(b,1.0,0.0) where(x>0,x,y) where(i>2,i,j)
where(x>0,x,0) psnr(x,y,2.0) outer(v,w) inner(x,y) vdot(v,w) dot(x,row) cross(v,w) cross(z[:,:,:3],z[:,:,1:]) kron(b,x) tensordot(x,y,axes=[[1],[1]]) matmul(x,transpose(y))
einsum('ij,kj->ik',x,y) cdist(x,y) correlate(row,v) correlate(row,v,mode='full') correlate(row,v,mode='same') vander(v) vander(v,N=2,increasing=True)"""
_REDUCE = """sum(x) sum(x,axis=0) sum(i,axis=1) sum(b) sum(x,axis=(0,1),keepdims=True) prod(x,axis=1) prod(n) mean(x,axis=1) mean(i) max(i,axis=0) min(i,axis=1) max(x,axis=1,initial=0.5)
amax(x,axis=0) amin(x) ptp(x,axis=1) any(b,axis=0) all(b,axis=1) any(i) all(x) count_nonzero(i,axis=0) var(x,axis=0) std(x) var(i) median(x,axis=1) median(z,axis=(0,2)) quantile(x,0.3,axis=0)
quantile(x,[0.25,0.5],axis=1,keepdims=True) percentile(x,[10.0,90.0]) quantile(x,0.4,axis=1,method='lower') quantile(x,0.4,axis=1,method='higher') quantile(x,0.4,axis=1,method='nearest') quantile(x,0.4,axis=1,method='midpoint')
average(x,axis=1) average(x,axis=1,weights=row) average(x,weights=p) logsumexp(x,axis=1) logsumexp(a,axis=1) norm(x) norm(x,axis=1) norm(x,ord=1,axis=0) norm(x,ord=3,axis=1) norm(m,ord='fro') norm(m,ord=1)
norm(v,ord=0) norm(v,ord=2) moments(x,axes=[0]) argmax(x) argmax(x,axis=1) argmin(x,axis=0) argmax(i,axis=1) argmin(i) argmax(x,axis=0,keepdims=True) nansum(a,axis=0) nanmean(x) nanmax(a,axis=0) nanmin(a)
nanprod(x,axis=1) nanvar(x,axis=0) nanstd(x) cumsum(x,axis=1) cumsum(x) cumsum(i,axis=0) cumprod(p,axis=1) nancumsum(a[1:],axis=1) diff(x) diff(x,n=2,axis=1) trapezoid(x) trapezoid(x,dx=0.5,axis=0) corrcoef(x)
sort(x) sort(x,axis=0) sort(i,axis=1) argsort(x,axis=1) argsort(i) top_k(x,2) top_k(i,3) searchsorted(sort(row),v) searchsorted([1,1,3],n,side='right') in_top_k(labels,prob,2) trace(m) trace(m,offset=1)
segment_sum(x,ids,num_segments=3) segment_max(x,ids,num_segments=3)[::2] segment_sum(i,ids[::2],num_segments=2)"""
_SHAPE = """reshape(x,(5,-1)) transpose(z) transpose(z,(1,0,2)) swapaxes(z,0,2) moveaxis(z,0,-1) moveaxis(z,[0,1],[2,0]) expand_dims(x,1) expand_dims(x,(0,3)) squeeze(x[None]) ravel(z) broadcast_to(row,(3,5))
concatenate([x,y]) concatenate([x,y],axis=1) stack([x,y]) stack([x,y],axis=-1) split(x,[1,3],axis=1) split(z,2) array_split(row,3) hsplit(z,3) vsplit(m,2) dsplit(z,2) unstack(z,axis=1) hstack([x,y]) vstack([v,w]) dstack([x,y]) append(x,y)
append(x,y,axis=0) flip(x) flip(x,axis=1) fliplr(x) flipud(x) rot90(x) rot90(x,k=2) rot90(z,k=3,axes=(1,2)) roll(x,2) roll(x,-1,axis=1) roll(z,(1,2),axis=(0,2)) repeat(x,2) repeat(x,3,axis=1) repeat(v,n[:3],axis=0) tile(x,2) tile(x,(2,1,2))
pad(x,((1,2),(0,1))) pad(x,1,constant_values=3.0) pad(i,((0,1),(2,0))) pad(x,((1,1),(2,1)),mode='reflect') pad(x,1,mode='symmetric') diag(v) diag(v,k=1) diag(m) diag(m,k=-1) diagflat(b) diagonal(z,axis1=1,axis2=2) diagonal(m,offset=1)
tril(m) triu(m,k=1) tril(z) triu(x,-1) meshgrid(v,row) meshgrid(v,row,indexing='ij') depth_to_space(image,2) space_to_depth(image,2) extract_sequences(row,3,1) take(x,[2,0],axis=0) take(x,ids) take(x,pair,axis=1) take(i,[-1,0],axis=1)
take_along_axis(x,argsort(x,axis=1),axis=1) take_along_axis(z,[[[1]],[[0]]],axis=1) x[::-1] x[:,1:4:2] x[...,None] x[1] x[-1,::-2] x[ids] x[ids,labels] z[:,ids] z[0,:,ids] get_item(x,(slice(None,None),2)) i[:,[0,0]]
slice(x,[1,2],[2,3]) slice_update(x,[1,2],y[:1,:2]) scatter(pair,upd,(4,5)) scatter_update(x,pair,upd) scatter_update(x,pair,upd,reduction='add') scatter_update(x,pair,upd,reduction='max') scatter_update(x,labels[:1,None]*0,y[:1]) one_hot(labels,5) one_hot(labels,5,axis=0) one_hot(i,4,dtype='int32')
multi_hot(pair,5) zeros_like(i) ones_like(x,dtype='int32') full_like(x,2) cast(x,'int32') cast(i,'bool') zeros((2,3)) ones(3,dtype='int32') full((2,),7) arange(5) arange(1,2,0.25) arange(3.0) linspace(0,1,5) eye(3,k=1) identity(2) tri(3,4,-1) logspace(0,2,3) geomspace(1.0,8.0,4)
hamming(5) hanning(5) blackman(5) bartlett(5) kaiser(5,2.0)"""
_NEURAL = """binary_crossentropy(hot,prob) binary_crossentropy(hot,x,from_logits=True) categorical_crossentropy(hot,prob) categorical_crossentropy(hot,x,from_logits=True) sparse_categorical_crossentropy(labels,prob)
sparse_categorical_crossentropy(labels,x,from_logits=True) batch_normalization(x,row,p[0],axis=-1) batch_normalization(x,row,p[0],axis=1,offset=row,scale=p[1],epsilon=1e-5) dot_product_attention(q,k,k) dot_product_attention(q,k,k,is_causal=True)
dot_product_attention(q,k,k,mask=k[:,None,None,:,0,0]>0) dot_product_attention(q,k,k,scale=0.3) cond(True,lambda:x,lambda:y) switch(1,[lambda:x,lambda:y]) scan(lambda c,t:(c+t,c*t),v,reshape(x,(5,3))) scan(lambda c,t:(c+t,c),v,reshape(x,(5,3)),reverse=True)
fori_loop(0,3,lambda k,t:t*2+k,x) while_loop(lambda k,t:k<3,lambda k,t:(k+1,t*1.5),(0,x)) map(lambda r:sum(r),x) vectorized_map(lambda r:r*2+sum(r),x) associative_scan(lambda s,t:s*t,x,axis=1) associative_scan(lambda s,t:s+t,x,reverse=True)"""
_HOST = """saturate_cast(x*300,'int8') det(m) inv(m) solve(m,m[:,:2]) cholesky(matmul(m,transpose(m))+eye(4)) slogdet(m) logdet(matmul(m,transpose(m))+eye(4)) pinv(x) lstsq(x,v) solve_triangular(m+eye(4)*3,m,lower=True) matrix_rank(m) bincount(n) bincount(n,minlength=8) nonzero(i)
unique(n) histogram(row,bins=4) unravel_index(n,(3,4)) gcd(n,6) lcm(n,4) i0(x) nanmedian(x,axis=1) nanargmax(x,axis=1) nanquantile(x,0.3) select([x>1,x>0],[x,y],0.0) lu_factor(m) cholesky_inverse(cholesky(matmul(m,transpose(m))+eye(4)))"""


def _words(text):
    """The expressions of a text: at every blank that is not inside brackets."""
    words, depth = [""], 0
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c.isspace() and depth == 0:
            words.append("")
        else:
            words[-1] += c
    return [w for w in words if w]


TRACED = [e for text in (_UNARY, _BINARY, _REDUCE, _SHAPE, _NEURAL) for e in _words(text)]
HOST = _words(_HOST)


def evaluate(expression, ops, arrays):
    """The results of an expression, as a flat list."""
    return flat(eval(expression, {**vars(ops), "slice": _slice(ops), **arrays}))


def flat(x):
    if isinstance(x, (list, tuple)) or type(x).__name__ in ("SlogdetResult", "EighResult"):
        return [leaf for v in x for leaf in flat(v)]
    return [x]


def _slice(ops):
    """ops.slice, and Python's where it gets a None."""
    import builtins

    def call(*args):
        return builtins.slice(*args) if args[0] is None else ops.slice(*args)

    return call
