"""Vectors: values of one SIMD register in compiled loops.

Compilers find vector instructions in simple loops. The loops that take nearly all of a convolution's time must say what
stays in which register:

    s = zero(line)                # a register of zeros
    x = load(line, q)             # the elements line[q], line[q + 1], ... of one register
    s = s + w * x                 # one fused multiply-add: a scalar times a register, plus a register
    store(sums, q, s)

``load4`` and ``load2`` load as many elements as four or two registers hold, and the operators take them as well.
`numpycnn.kernels.engine.gemm` reaches the peak of a core with these.

Uncompiled (``NUMBA_DISABLE_JIT=1``), the same functions work on slices of NumPy arrays: that is their definition.
Indices are not checked and must not be negative; ``NUMBA_BOUNDSCHECK=1`` checks them.

On a processor with AVX-512 the widest registers are used, even if the compiler would prefer narrower ones. The register
size follows ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` where they are set.
"""

import operator

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, models, overload, register_model

from numpycnn.kernels.engine.jit import RELAXED


def _widest() -> int:
    """Return the size of a vector register of the target processor, in bytes."""
    if getattr(config, "CPU_NAME", None) or getattr(config, "CPU_FEATURES", None):
        features = {name.removeprefix("+") for name in (config.CPU_FEATURES or "").split(",")}  # type: ignore[attr-defined]
    else:
        features = {name for name, present in llvmlite.binding.get_host_cpu_features().items() if present}
    return 64 if "avx512f" in features else 32 if "avx2" in features else 16


REGISTER = _widest()
#: Bytes that ``load4`` loads. A loop that keeps four such vectors and loads a fifth must fit in the registers: there
#: are 32 with AVX-512 and on ARM, but 16 with AVX2, where ``load4`` is two registers.
FOUR = 2 * REGISTER if REGISTER == 32 else 4 * REGISTER


# --------------------------------------------------------------------------------- the definitions, on NumPy arrays
# Those of ``load`` and ``zero`` are below, with their compiled form.


def store(array, index, vector):
    """Write a vector to ``array[index:]``."""
    array[index : index + len(vector)] = vector


def total(vector):
    """Return the sum over a vector."""
    return vector.sum()


def transpose(source, index, pitch, target, place, gap):
    """Transpose a square of ``source`` into ``target``, with as many rows and columns as a register has elements.

    Its rows start at ``index`` and every ``pitch`` elements, those of the result at ``place`` and every ``gap``.
    """
    lanes = range(REGISTER // source.itemsize)
    rows = [load(source, index + i * pitch) for i in lanes]
    for i in lanes:
        store(target, place + i * gap, np.array([row[i] for row in rows]))


def load_strided(array, index, step):
    """Return the elements of one register, starting at ``index``, with a stride ``step`` of 1 or 2."""
    return array[index : index + step * (REGISTER // array.itemsize) : step].copy()


def indices(like, first, step):
    """Return first, first + step, ... as int32, one for each element of ``like``."""
    return np.arange(first, first + step * len(like), step, dtype=np.int32)


def larger(best, winner, value, index):
    """Return ``value`` and ``index`` where value is larger than ``best`` or NaN, else ``best`` and ``winner``."""
    wins = (value > best) | np.isnan(value)
    return np.where(wins, value, best), np.where(wins, index, winner)


# ------------------------------------------------------------------------------------------- the same in compiled code


_I32 = ir.IntType(32)


class Vector(types.Type):
    """The type of a vector in a compiled function."""

    def __init__(self, dtype, size):  # in bytes
        self.dtype, self.lanes = dtype, size * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype}, {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.int32: _I32}[kind.dtype]
        super().__init__(manager, kind, ir.VectorType(element, kind.lanes))


def _address(context, builder, kind, array, index, vector):
    """Return the address of an element of an array as a pointer to a vector."""
    element = builder.gep(context.make_array(kind)(context, builder, array).data, [index])
    return builder.bitcast(element, context.get_value_type(vector).as_pointer())


def _sized(size):
    """Return ``load`` and ``zero`` for vectors of ``size`` bytes.

    The first and the last element are read for the bounds check; without it the compiler removes the unused loads.
    """

    def load(array, index):
        """Return the elements of one vector, starting at ``index``."""
        return array[index : index + size // array.itemsize].copy()

    def zero(array):
        """Return a vector of zeros like that of ``load``."""
        return np.zeros(size // array.itemsize, array.dtype)

    @intrinsic
    def load_bytes(typing_context, array, index):
        vector = Vector(array.dtype, size)

        def generate(context, builder, signature, arguments):
            address = _address(context, builder, signature.args[0], *arguments, vector)
            return builder.load(address, align=array.dtype.bitwidth // 8)

        return vector(array, types.intp), generate

    @overload(load)
    def compile_load(array, index):
        last = Vector(array.dtype, size).lanes - 1
        return lambda array, index: (array[index], array[index + last], load_bytes(array, index))[2]

    @intrinsic
    def zero_bytes(typing_context, array):
        vector = Vector(array.dtype, size)

        def generate(context, builder, signature, arguments):
            return ir.Constant(context.get_value_type(vector), None)

        return vector(array), generate

    overload(zero)(lambda array: lambda array: zero_bytes(array))
    return load, zero


load, zero = _sized(REGISTER)
load2, zero2 = _sized(FOUR // 2)
load4, zero4 = _sized(FOUR)


@intrinsic
def _store(typing_context, array, index, vector):
    def generate(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], *arguments[:2], vector)
        builder.store(arguments[2], address, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def _transpose(typing_context, source, index, pitch, target, place, gap):
    vector = Vector(source.dtype, REGISTER)

    def generate(context, builder, signature, arguments):
        lanes, align = vector.lanes, vector.dtype.bitwidth // 8
        origin, index, pitch, goal, place, gap = arguments
        rows = []
        for _ in range(lanes):
            rows.append(builder.load(_address(context, builder, signature.args[0], origin, index, vector), align=align))
            index = builder.add(index, pitch)
        # For each bit: where it is set in the row's number and clear in the lane's, or the reverse, swap the elements.
        bit = 1
        while bit < lanes:
            keep = [lane + lanes - bit if lane & bit else lane for lane in range(lanes)]
            other = [lane + lanes if lane & bit else lane + bit for lane in range(lanes)]
            orders = [ir.Constant(ir.VectorType(_I32, lanes), order) for order in (keep, other)]
            for i in range(lanes):
                if not i & bit:
                    pair = rows[i], rows[i + bit]
                    rows[i], rows[i + bit] = (builder.shuffle_vector(*pair, order) for order in orders)
            bit *= 2
        for row in rows:
            builder.store(row, _address(context, builder, signature.args[3], goal, place, vector), align=align)
            place = builder.add(place, gap)
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, target, types.intp, types.intp), generate


@intrinsic
def _load_stride_2(typing_context, array, index):
    whole, part = Vector(array.dtype, 2 * REGISTER), Vector(array.dtype, REGISTER)

    def generate(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], *arguments, whole)
        both = builder.load(address, align=array.dtype.bitwidth // 8)
        even = ir.Constant(ir.VectorType(_I32, part.lanes), list(range(0, 2 * part.lanes, 2)))
        return builder.shuffle_vector(both, ir.Constant(both.type, ir.Undefined), even)

    return part(array, types.intp), generate


@intrinsic
def _indices(typing_context, like, first, step):
    vector = Vector(types.int32, 4 * like.lanes)

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(vector)
        undefined, zeros = ir.Constant(kind, ir.Undefined), ir.Constant(kind, [0] * like.lanes)
        spread = []
        for number in arguments[1:]:
            one = builder.insert_element(undefined, builder.trunc(number, _I32), ir.Constant(_I32, 0))
            spread.append(builder.shuffle_vector(one, undefined, zeros))
        lane = ir.Constant(kind, list(range(like.lanes)))
        return builder.add(spread[0], builder.mul(spread[1], lane))

    return vector(like, types.intp, types.intp), generate


@intrinsic
def _larger(typing_context, best, winner, value, index):
    def generate(context, builder, signature, arguments):
        old, holder, new, challenger = arguments
        wins = builder.or_(builder.fcmp_ordered(">", new, old), builder.fcmp_unordered("uno", new, new))
        both = [builder.select(wins, new, old), builder.select(wins, challenger, holder)]
        return context.make_tuple(builder, signature.return_type, both)

    return types.Tuple([best, winner])(best, winner, best, winner), generate


@intrinsic
def _repeat(typing_context, number, like):
    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(like)
        undefined = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(undefined, arguments[0], ir.Constant(_I32, 0))
        all_lanes = ir.Constant(ir.VectorType(_I32, like.lanes), [0] * like.lanes)
        return builder.shuffle_vector(first, undefined, all_lanes)

    return like(like.dtype, like), generate


@intrinsic
def _total(typing_context, vector):
    def generate(context, builder, signature, arguments):
        element = context.get_value_type(vector.dtype)
        kind = ir.FunctionType(element, [element, arguments[0].type])
        name = f"llvm.vector.reduce.fadd.v{vector.lanes}f{vector.dtype.bitwidth}"
        add_up = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(add_up, [ir.Constant(element, 0.0), arguments[0]], fastmath=tuple(sorted(RELAXED)))

    return vector.dtype(vector), generate


@overload(store)
def _overload_store(array, index, vector):
    last = vector.lanes - 1
    return lambda array, index, vector: (array[index], array[index + last], _store(array, index, vector))[2]


@overload(transpose)
def _overload_transpose(source, index, pitch, target, place, gap):
    last = Vector(source.dtype, REGISTER).lanes - 1

    def change(source, index, pitch, target, place, gap):
        return (
            (source[index], source[index + last * pitch + last], target[place], target[place + last * gap + last]),
            _transpose(source, index, pitch, target, place, gap),
        )[1]

    return change


@overload(load_strided)
def _overload_load_strided(array, index, step):
    last = 2 * Vector(array.dtype, REGISTER).lanes - 1

    def choose(array, index, step):
        if step == 1:
            return load(array, index)
        return (array[index], array[index + last], _load_stride_2(array, index))[2]

    return choose


@overload(indices)
def _overload_indices(like, first, step):
    return lambda like, first, step: _indices(like, first, step)


@overload(larger)
def _overload_larger(best, winner, value, index):
    return lambda best, winner, value, index: _larger(best, winner, value, index)


@overload(total)
def _overload_total(vector):
    return lambda vector: _total(vector)


def _arithmetic(symbol, in_place, instruction):
    """Define an operator for two vectors, and for a vector and a scalar."""

    @intrinsic
    def both(typing_context, a, b):
        def generate(context, builder, signature, arguments):
            return getattr(builder, instruction)(*arguments, flags=tuple(sorted(RELAXED)))

        return a(a, a), generate

    def choose(a, b):
        left, right = isinstance(a, Vector), isinstance(b, Vector)
        if left and right:
            return lambda a, b: both(a, b)
        if left and isinstance(b, types.Float):
            return lambda a, b: both(a, _repeat(b, a))
        if right and isinstance(a, types.Float):
            return lambda a, b: both(_repeat(a, b), b)
        return None

    overload(symbol)(choose)
    overload(in_place)(choose)


_arithmetic(operator.add, operator.iadd, "fadd")
_arithmetic(operator.sub, operator.isub, "fsub")
_arithmetic(operator.mul, operator.imul, "fmul")
