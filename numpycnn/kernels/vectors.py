"""Numbers side by side: the processor's vector registers, as values that a loop can name.

A processor of today multiplies 4, 8 or 16 numbers with one instruction, if they lie side by side in a register. A
compiler finds such instructions by itself where a loop is simple. In the loops that take nearly all of the time of a
convolution it has to be told what to keep in which register, and here is the vocabulary for that:

    s = zero(line)                # a register full of zeros
    x = load(line, q)             # the elements line[q], line[q + 1], ... of one register
    s = s + w * x                 # one instruction: a number times a register, added to another one
    store(sums, q, s)

``load4`` and ``load2`` load as many elements as four or two registers hold, and everything else works on them likewise.
Sums that are kept in registers, and four results for each number loaded, are what a fast matrix product consists of;
see `numpycnn.kernels.products`, which reaches the speed limit of the processor with them.

Without the compiler (``NUMBA_DISABLE_JIT=1``) the same functions work on slices of NumPy arrays, and that is also how
to read them. An index is not checked and may not be negative; with ``NUMBA_BOUNDSCHECK=1`` it is checked as everywhere.

On a processor with AVX-512 the widest registers are used: vectors that are spelled out are, even where the compiler's
own choice is to leave them alone. Which register there is follows the settings ``NUMBA_CPU_NAME`` and
``NUMBA_CPU_FEATURES`` where they are set.
"""

import operator

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, models, overload, register_model

from numpycnn.kernels.jit import RELAXED


def _widest() -> int:
    """Return the bytes of a vector register of the processor that is compiled for."""
    if getattr(config, "CPU_NAME", None) or getattr(config, "CPU_FEATURES", None):
        features = {name.removeprefix("+") for name in (config.CPU_FEATURES or "").split(",")}  # type: ignore[attr-defined]
    else:
        features = {name for name, present in llvmlite.binding.get_host_cpu_features().items() if present}
    return 64 if "avx512f" in features else 32 if "avx2" in features else 16


REGISTER = _widest()
#: Bytes that ``load4`` loads. A loop that keeps four of them and loads a fifth must not need more registers than there
#: are: 32 with AVX-512 and on ARM, but 16 elsewhere, where two registers take the place of four.
FOUR = 2 * REGISTER if REGISTER == 32 else 4 * REGISTER


# ------------------------------------------------------------------------------------- the plain version, on arrays


def load(array, index):
    """Return the elements from ``index`` on that one register holds."""
    return array[index : index + REGISTER // array.itemsize].copy()


def load4(array, index):
    """Return the elements from ``index`` on that four registers hold."""
    return array[index : index + FOUR // array.itemsize].copy()


def load2(array, index):
    """Return half as many elements as ``load4``."""
    return array[index : index + FOUR // 2 // array.itemsize].copy()


def store(array, index, vector):
    """Write a vector to ``array[index:]``."""
    array[index : index + len(vector)] = vector


def zero(array):
    """Return zeros in place of what ``load`` returns."""
    return np.zeros(REGISTER // array.itemsize, array.dtype)


def zero4(array):
    """Return zeros in place of what ``load4`` returns."""
    return np.zeros(FOUR // array.itemsize, array.dtype)


def zero2(array):
    """Return zeros in place of what ``load2`` returns."""
    return np.zeros(FOUR // 2 // array.itemsize, array.dtype)


def total(vector):
    """Return the sum over a vector."""
    return vector.sum()


def transpose(source, index, pitch, target, place, gap):
    """Write the columns of a square of ``source`` as rows of ``target``, as many and as long as a register holds.

    The rows of the square begin at ``index``, ``pitch`` elements apart, the new ones at ``place``, ``gap`` apart.
    """
    lanes = range(REGISTER // source.itemsize)
    rows = [load(source, index + i * pitch) for i in lanes]
    for i in lanes:
        store(target, place + i * gap, np.array([row[i] for row in rows]))


def load_every(array, index, step):
    """Return every element or every second one (``step`` 1 or 2) from ``index`` on, as many as a register holds."""
    return array[index : index + step * (REGISTER // array.itemsize) : step].copy()


def places(like, first, step):
    """Return the numbers first, first + step, ... (int32), as many as ``like`` has."""
    return np.arange(first, first + step * len(like), step, dtype=np.int32)


def larger(best, winner, value, place):
    """Return ``value`` and ``place`` where value is larger than ``best`` or NaN, elsewhere best and ``winner``."""
    wins = (value > best) | np.isnan(value)
    return np.where(wins, value, best), np.where(wins, place, winner)


# ------------------------------------------------------------------------------------------- the same, for the compiler


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
    """Return the address of an element of an array, as one of a vector."""
    element = builder.gep(context.make_array(kind)(context, builder, array).data, [index])
    return builder.bitcast(element, context.get_value_type(vector).as_pointer())


def _loader(size):
    @intrinsic
    def load_bytes(typing_context, array, index):
        vector = Vector(array.dtype, size)

        def generate(context, builder, signature, arguments):
            address = _address(context, builder, signature.args[0], *arguments, vector)
            return builder.load(address, align=array.dtype.bitwidth // 8)

        return vector(array, types.intp), generate

    return load_bytes


def _zero_maker(size):
    @intrinsic
    def zero_bytes(typing_context, array):
        vector = Vector(array.dtype, size)

        def generate(context, builder, signature, arguments):
            return ir.Constant(context.get_value_type(vector), None)

        return vector(array), generate

    return zero_bytes


_load, _load2, _load4 = _loader(REGISTER), _loader(FOUR // 2), _loader(FOUR)
_zero, _zero2, _zero4 = _zero_maker(REGISTER), _zero_maker(FOUR // 2), _zero_maker(FOUR)


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
        # For each bit: where it is set in the number of a row and clear in that of a lane, or the other way round, the
        # two elements change places.
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
def _load_second(typing_context, array, index):
    whole, part = Vector(array.dtype, 2 * REGISTER), Vector(array.dtype, REGISTER)

    def generate(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], *arguments, whole)
        both = builder.load(address, align=array.dtype.bitwidth // 8)
        even = ir.Constant(ir.VectorType(_I32, part.lanes), list(range(0, 2 * part.lanes, 2)))
        return builder.shuffle_vector(both, ir.Constant(both.type, ir.Undefined), even)

    return part(array, types.intp), generate


@intrinsic
def _places(typing_context, like, first, step):
    vector = Vector(types.int32, 4 * like.lanes)

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(vector)
        undefined, nowhere = ir.Constant(kind, ir.Undefined), ir.Constant(kind, [0] * like.lanes)
        spread = []
        for number in arguments[1:]:
            one = builder.insert_element(undefined, builder.trunc(number, _I32), ir.Constant(_I32, 0))
            spread.append(builder.shuffle_vector(one, undefined, nowhere))
        lane = ir.Constant(kind, list(range(like.lanes)))
        return builder.add(spread[0], builder.mul(spread[1], lane))

    return vector(like, types.intp, types.intp), generate


@intrinsic
def _larger(typing_context, best, winner, value, place):
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
        everywhere = ir.Constant(ir.VectorType(_I32, like.lanes), [0] * like.lanes)
        return builder.shuffle_vector(first, undefined, everywhere)

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


# A number of an array that is read and not used is taken out again by the compiler, unless it is asked to check bounds.


@overload(load)
def _overload_load(array, index):
    last = Vector(array.dtype, REGISTER).lanes - 1
    return lambda array, index: (array[index], array[index + last], _load(array, index))[2]


@overload(load4)
def _overload_load4(array, index):
    last = Vector(array.dtype, FOUR).lanes - 1
    return lambda array, index: (array[index], array[index + last], _load4(array, index))[2]


@overload(load2)
def _overload_load2(array, index):
    last = Vector(array.dtype, FOUR // 2).lanes - 1
    return lambda array, index: (array[index], array[index + last], _load2(array, index))[2]


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


@overload(load_every)
def _overload_load_every(array, index, step):
    last = 2 * Vector(array.dtype, REGISTER).lanes - 1

    def choose(array, index, step):
        if step == 1:
            return load(array, index)
        return (array[index], array[index + last], _load_second(array, index))[2]

    return choose


@overload(places)
def _overload_places(like, first, step):
    return lambda like, first, step: _places(like, first, step)


@overload(larger)
def _overload_larger(best, winner, value, place):
    return lambda best, winner, value, place: _larger(best, winner, value, place)


@overload(zero)
def _overload_zero(array):
    return lambda array: _zero(array)


@overload(zero2)
def _overload_zero2(array):
    return lambda array: _zero2(array)


@overload(zero4)
def _overload_zero4(array):
    return lambda array: _zero4(array)


@overload(total)
def _overload_total(vector):
    return lambda vector: _total(vector)


def _arithmetic(symbol, in_place, instruction):
    """Let an operator work on two vectors, and on a vector and a number."""

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
