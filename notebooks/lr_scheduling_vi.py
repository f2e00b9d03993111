# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Định thời tốc độ học
#
# [English](lr_scheduling_en.ipynb)
#
# Những mục trước trong sách bàn về *hướng* đi của mỗi bước cập nhật. Còn bước ấy nên dài bao nhiêu,
# và độ dài đó nên đổi ra sao trong lúc huấn luyện? Mục 11.15 của *Đắm mình vào Học Sâu* trả lời
# bằng năm lần chạy LeNet trên Fashion-MNIST. Ta sẽ đi lại con đường ấy bằng MXNet, vẽ lại cả mười
# hình của mục, rồi làm thêm một việc mà sách không làm: chạy mỗi thí nghiệm với nhiều hạt giống
# ngẫu nhiên (*random seed*) và hỏi xem kết quả nào trong sách còn đứng vững. Vài câu trả lời khá
# bất ngờ, chẳng hạn: phần lớn các lần chạy trong sách không hề được huấn luyện theo đường cong mà
# sách vẽ.
#
# **Bạn sẽ học** cách viết một bộ định thời, tức là một hàm từ số bước cập nhật ra tốc độ học; cách
# hỏi xem trục hoành của một đường cong đếm gì; vì sao bộ định thời không được có trí nhớ; và cách
# đánh giá một kết quả đã in bằng nhiều lần chạy. **Bạn cần biết** các mục về LeNet và về SGD theo
# minibatch trong sách. **Thời gian:** khoảng 100 phút, kể cả các câu hỏi; lời giải nằm ở [một trang
# riêng](../teaching/answers_vi.md), để xem sau.
#
# Hầu hết hình và bảng dưới đây dựng từ kết quả đã lưu, nên chỉ mất vài giây. Ba ô huấn luyện thật:
# một ô trong sáu mươi bước, một ô trong hai epoch để bạn xem đồ thị hiện dần ra, và một ô trong sáu
# epoch với *mạng nhanh*: vẫn mạng ấy, tính bằng chương trình nhanh hơn nên làm tròn khác đi.
#
# Tên thí nghiệm, như `cosine-warmup`, giữ nguyên vì đó là tên để gõ vào lệnh. Trong các bảng, *số
# in trong sách* là kết quả sách in, *số của ta* là kết quả ta đo được; một mạng *sụp đổ* nếu nó cho
# mọi ảnh cùng một bộ điểm (ở hai ảnh kiểm tra bất kỳ chênh nhau chưa tới 0.01), như ta sẽ thấy ngay
# sau đây. Ba số cách nhau bằng dấu gạch chéo là mất mát huấn luyện, độ chính xác huấn luyện và độ
# chính xác kiểm tra sau epoch cuối.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import itertools
import math

import mxnet as mx
import pandas as pd
from d2l import mxnet as d2l
from IPython.display import display
from mxnet import autograd, gluon, init, lr_scheduler, npx
from mxnet.gluon import nn

import d2l_lrsched as lrs
from d2l_lrsched import drawing, stats
from d2l_lrsched.runs import ranges, record
from d2l_lrsched.studies.chapter import figures, seeds, tables
from d2l_lrsched.studies.chapter.builds import draws, measures
from d2l_lrsched.studies.chapter.builds import figures as builds_figures
from d2l_lrsched.studies.chapter.builds import tables as builds_tables
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.published import PRINTED, others
from d2l_lrsched.studies.chapter.verdicts import compare, counts, distinct
from d2l_lrsched.studies.choice import figures as choice_figures
from d2l_lrsched.studies.choice import tables as choice_tables
from d2l_lrsched.studies.clipping.tables import share_table
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("vi")

# %% [markdown]
# ## Vì sao tốc độ học đáng bận tâm
#
# Xét bài toán đơn giản nhất mà vẫn nói lên được điều gì đó: một hàm bậc hai, có độ cong $\lambda$
# theo một hướng nào đó. Hạ gradient nhân tọa độ theo hướng ấy với $1 - \eta\lambda$ ở mỗi bước:
#
# $$w_{t+1} = w_t - \eta\,\lambda\,w_t = (1 - \eta\lambda)\,w_t .$$
#
# Xuất phát từ một dòng này, ta sẽ thấy bốn điều cần để ý.
#
# - **Độ lớn.** Khi $\eta > 2/\lambda_{\max}$, tọa độ theo hướng cong nhất phình ra mãi: thuật
#   toán phân kỳ. Nhưng $\eta$ nhỏ thì hướng thoải nhất, nơi hệ số là $1 - \eta\lambda_{\min}$,
#   gần như đứng yên. Hai đòi hỏi ấy cách nhau bao xa là do hệ số điều kiện (*condition number*)
#   $\lambda_{\max}/\lambda_{\min}$.
# - **Suy giảm.** Gradient trên minibatch có nhiễu, nên tốc độ học cố định không đưa ta đến cực
#   tiểu mà chỉ đến một vùng quanh nó, rộng hẹp tùy theo $\eta$. Muốn thu hẹp vùng ấy phải giảm
#   $\eta$. Giảm nhanh quá cũng hỏng: nếu $\sum_t \eta_t$ hữu hạn thì tổng quãng đường đi được
#   cũng hữu hạn, và ta có thể dừng lại giữa đường. Với bài toán lồi, $\eta_t \propto t^{-1/2}$ là
#   mức giảm quen thuộc.
# - **Lúc khởi đầu.** Tham số vừa khởi tạo là ngẫu nhiên, gradient ở đó chưa nói được bao nhiêu về
#   nơi cần đến. Bước dài ngay từ đầu là đem cả mạng ra đánh cược. *Khởi động* (warmup) nghĩa là
#   nâng dần tốc độ học lên.
# - **Chu kỳ.** Có phương pháp cho tốc độ học lên xuống nhiều lần, rồi lấy trung bình các bộ tham
#   số gặp trên đường [Izmailov et al., 2018]. Ta chỉ nhắc đến chứ không dùng.

# %% [markdown]
# ## LeNet, Fashion-MNIST và vòng lặp huấn luyện
#
# Mạng là LeNet đã hiện đại hóa: relu thay cho sigmoid, gộp cực đại thay cho gộp trung bình. Mạng
# đủ nhỏ để huấn luyện ít tốn kém, và đủ phức tạp để tốc độ học có thể gây chuyện. Dữ liệu là
# Fashion-MNIST, minibatch 256 ảnh, tức 235 bước cập nhật một epoch (minibatch cuối chỉ có 96
# ảnh). Hãy nhớ con số 235.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
ctx = d2l.try_gpu()
net = nn.HybridSequential()
for channels, padding in ((6, 2), (16, 0)):
    net.add(
        nn.Conv2D(channels, kernel_size=5, padding=padding, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
    )
for units in (120, 84):
    net.add(nn.Dense(units, activation="relu"))
net.add(nn.Dense(10))
net.hybridize()
net.initialize(init.Xavier(), ctx)
loss = gluon.loss.SoftmaxCrossEntropyLoss()
net

# %% [markdown]
# `lrs.lenet()` trả về đúng mạng này. Có hai dòng cần nói thêm.
#
# - `hybridize`: không có nó, với mỗi minibatch Python lại gọi lần lượt từng tầng. Có nó, minibatch
#   đầu tiên để lại một đồ thị gồm mọi phép tính, và từ đó MXNet chạy theo đồ thị ấy: vẫn những con
#   số ấy, bớt việc cho Python.
# - `init.Xavier()` rút trọng số của một tầng có $n_{\text{vào}}$ đầu vào và $n_{\text{ra}}$ đầu ra
#   theo phân phối đều trong khoảng $\pm\sqrt{6/(n_{\text{vào}}+n_{\text{ra}})}$, để các giá trị
#   không phình ra cũng không tắt dần qua từng tầng. Điểm xuất phát cũng quyết định bước đầu tiên
#   được phép dài bao nhiêu.
#
# Mỗi bước cập nhật lấy một minibatch $\mathcal{B}$, tính gradient trung bình rồi đi ngược hướng
# gradient ấy với tốc độ học $\eta_n$:
#
# $$\theta \leftarrow \theta
# {} - \eta_n\, \frac{1}{|\mathcal{B}|} \sum_{i \in \mathcal{B}} \nabla_\theta\, \ell_i(\theta),
# \qquad n = 1, 2, 3, \ldots$$
#
# Viết thành mã, đó là một vòng lặp bốn dòng, còn lại là ghi chép. Ba lần, mỗi lần hai mươi bước:


# %%
def train_on(batches, net, trainer):
    """Make an update with each of the batches; return their mean loss."""
    total = examples = 0
    for X, y in batches:
        X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
        with autograd.record():
            losses = loss(net(X), y)
        losses.backward()
        trainer.step(len(y))  # the sum of the gradients, divided by their number
        total += float(losses.sum())
        examples += len(y)
    return total / examples


trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.3})
[train_on(itertools.islice(train_iter, 20), net, trainer) for _ in range(3)]

# %% [markdown]
# Mất mát giảm. `lrs.train` chính là vòng lặp này, cùng với các phép đo và đồ thị của hàm `train`
# trong sách, giống đến từng bit; nó trả về những gì đo được sau mỗi epoch. Kết quả của những lần
# chạy trước nằm trong `figures/chapter/runs.jsonl`: `baseline` có mọi lần chạy dài 30 epoch, mỗi
# thí nghiệm nhiều lần, còn `runs` giữ những lần có hạt giống 0.

# %%
chapter = record.read("../figures/chapter/runs.jsonl")
baseline = distinct(run for run in chapter if run.num_epochs == 30)
runs = {run.experiment: run for run in baseline if run.seed == 0}
len(runs), len(baseline)

# %% [markdown]
# ## Tốc độ học cố định, và một mạng sụp đổ
#
# Mốc so sánh đầu tiên: giữ nguyên $\eta = 0.3$ suốt 30 epoch. Sách kể rằng độ chính xác trên tập
# huấn luyện tăng đều, còn trên tập kiểm tra thì đến một lúc không tăng nữa, và khoảng cách giữa hai
# đường chính là quá khớp. Nhưng dòng kết quả in ngay bên dưới lời kể ấy lại là mất mát 2.303 và
# độ chính xác 0.100.

# %%
PRINTED["constant"], math.log(10)

# %% [markdown]
# Đó không phải kết quả của một mạng học dở, mà là của một mạng *không còn nhìn thấy ảnh*. Nếu với
# ảnh nào mạng cũng gán cho mỗi lớp trong mười lớp xác suất $1/10$ thì mất mát là $-\ln
# \tfrac{1}{10} = \ln 10$; còn trên tập kiểm tra, nơi các lớp có số ảnh bằng nhau, cứ đoán mãi một
# lớp thì đúng một phần mười. Mạng dùng relu thường đi đến đó như thế này: một bước quá dài đẩy các
# nơ-ron sang vùng mà đầu vào của relu âm với *mọi* ảnh. Ở đó relu cho ra 0, đạo hàm của nó cũng là
# 0, nên không còn gradient nào kéo nơ-ron trở lại. Khi cả một tầng đã mất như vậy, chỉ còn hệ số
# điều chỉnh (*bias*) của các tầng phía sau là học được, mà chúng cho mọi ảnh cùng một đầu ra, nên
# cùng lắm mạng chỉ học được tần suất của các lớp. Ta nói mạng như thế đã *sụp đổ*.
#
# Vậy lời kể trong sách là về một lần chạy khác. Lần chạy của ta, cùng thiết lập, thì không sụp đổ:

# %%
display(words.figure(figures.training(runs["constant"])))
words.table(tables.chapter_table([runs["constant"]]))

# %% [markdown]
# Hình này thì khớp với lời kể: kết quả trên tập huấn luyện cứ tốt lên, trên tập kiểm tra thì dừng
# lại, khoảng cách lộ rõ. Vậy mạng sụp đổ ở tốc độ học 0.3 có hiếm không? Một lần chạy không trả lời
# được. Đếm trên mọi hạt giống của ta:

# %%
words.table(share_table(baseline, ["constant"]))

# %% [markdown]
# Không lần nào sụp đổ. Nhưng hãy nhìn cột cuối, khoảng tin cậy của *tỷ lệ* sụp đổ: số lần chạy còn
# ít, nên con số 0 ấy chưa cho biết sụp đổ là hiếm hay khá thường gặp. Dưới đây ta sẽ gọi kết luận
# kiểu này là CHƯA ĐỦ ĐỂ KẾT LUẬN.
#
# Muốn kết luận thì phải chạy nhiều hơn. Mỗi lần dựng sách (*build*), các notebook của sách được
# chạy lại; 87 trong 97 bản dựng đã in kết quả của chính lần chạy này (mười bản kia dùng tốc độ học
# 0.5). Còn ta chạy thêm 1617 lần trên một GPU, gọi là các *lượt rút*. Ở đó, tốc độ học cố định sụp
# đổ bao nhiêu lần?

# %%
drawn, builds = measures.of_draws(draws.read()), measures.of_builds()
collapses = builds_tables.collapse_table(drawn, builds)
words.table(collapses[collapses.experiment == "constant"])

# %% [markdown]
# Vậy chuyện ấy có thật: với các hạt giống của ta, khoảng hai mươi mạng thì một mạng sụp đổ, và con
# số trong sách không phải in nhầm. Có mạng đã học được rồi mới sụp đổ: khi tốc độ học không bao giờ
# giảm, không lúc nào mạng được an toàn. (*Trọng số của sách* ở đây chính là của hạt giống 0,
# nên hàng ấy là một phần của hàng sau; vì sao nó có hàng riêng, xem [bên
# dưới](#Một-hạt-giống-gồm-những-gì?). Cột cuối đếm những mạng mà lần sụp đổ cuối cùng bắt đầu sau
# epoch đầu.)

# %% [markdown] tags=["question"]
# **Câu hỏi 1.** Cần bao nhiêu lần chạy không sụp đổ để dám nói rằng tỷ lệ thật dưới 5 %? (Gợi ý:
# nếu tỷ lệ là $p$, xác suất để cả $k$ lần đều không sụp đổ là $(1-p)^k$.)

# %% [markdown] tags=["answer"]
# **Trả lời câu 1.** Nếu tỷ lệ là 5 % thì xác suất để cả $k$ lần chạy đều không sụp đổ là $0.95^k$.
# Số ấy nhỏ hơn 5 % từ $k = 59$ trở đi. Với mười lần chạy chỉ nói được rằng tỷ lệ dưới 26 % (khoảng
# trong bảng có hai phía nên lên tới 0.308).

# %% [markdown]
# ## Bộ định thời
#
# Cách thô sơ nhất để đổi tốc độ học là ra lệnh cho Trainer giữa chừng:

# %%
trainer.set_learning_rate(0.1)
trainer.learning_rate

# %% [markdown]
# Làm thế thì kế hoạch nằm rải rác trong vòng lặp. Gọn hơn là viết kế hoạch thành một **hàm của số
# bước cập nhật**, từ $t$ ra $\eta_t$, rồi giao nó cho Trainer. Hàm ấy là bộ định thời. Ví dụ đầu
# tiên giảm theo căn bậc hai:
#
# $$\eta_t = \eta_0\,(t+1)^{-1/2}.$$
#
# Đây là hình mà sách vẽ, với $\eta_0 = 1$ và $t = 0, 1, \ldots, 29$:


# %%
def square_root(num_update):
    return 1.0 * (num_update + 1.0) ** -0.5


print([square_root(t) for t in (0, 3, 15)])
words.figure(figures.schedule(runs["square-root"]))

# %% [markdown]
# Hai dòng là đủ một bộ định thời. (`lrs.SquareRootScheduler(lr=1.0)` cũng là hàm này; nó còn kiểm
# tra đối số, in ra được, so sánh và lưu được.)
#
# ### Trainer thật sự đưa gì cho bộ định thời
#
# Trục hoành của hình trên dừng ở 30, và ta huấn luyện 30 epoch. Đọc lướt thì tưởng $t$ là epoch.
# Hãy hỏi thẳng Trainer: đưa cho nó một bộ định thời chỉ biết ghi lại mình được hỏi gì, rồi cập
# nhật hai bước.

# %%
asked = []
spy = {"lr_scheduler": lambda num_update: asked.append(num_update) or 0.1}
train_on(itertools.islice(train_iter, 2), net, gluon.Trainer(net.collect_params(), "sgd", spy))
asked

# %% [markdown]
# Hai điều lộ ra, và phần còn lại của notebook này xoay quanh chúng.
#
# 1. **Đối số là số bước cập nhật**, bắt đầu từ 1, chứ không phải số epoch. Một epoch có 235 bước,
#    30 epoch có 7050.
# 2. **Mỗi bước bộ định thời bị gọi nhiều lần** với cùng một số: sgd chia mười mảng tham số của
#    LeNet thành nhóm để cập nhật, mỗi nhóm hỏi một lần.
#
# Vậy đường cong mà lần chạy trong sách thật sự đi theo là đường này (trục dưới đếm bước cập nhật,
# trục trên đếm epoch):

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
title = "Square root, fed with updates"
words.figure(drawing.two_axes(square_root, 30 * per_epoch, per_epoch, title))

# %% [markdown]
# Tất cả những gì hình trước trải ra trên 30 epoch đã qua hết trong khoảng một phần tám epoch đầu
# tiên.
#
# Giờ đến lượt bạn huấn luyện thật. Ô dưới đây chạy hai epoch theo đúng cách của sách, với hạt giống
# 0, và vẽ đồ thị trong lúc chạy. Đồ thị này do `d2l` vẽ nên nhãn bằng tiếng Anh: *train loss* là
# mất mát huấn luyện, *train acc* là độ chính xác huấn luyện, *test acc* là độ chính xác kiểm tra.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
net = lrs.lenet()
net.initialize(ctx=ctx)
mx.random.seed(0)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": square_root})
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx)

# %% [markdown]
# Bạn vừa làm lại hai epoch đầu của lần chạy đã lưu. Đặt hai bên cạnh nhau:

# %%
rows = [
    [f"{x:.4f}" for x in (new.train_loss, old.train_loss, new.test_acc, old.test_acc)]
    for new, old in zip(history.epochs, runs["square-root"].epochs)
]
header = ("train loss now", "stored", "test acc now", "stored")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Trên bộ xử lý cùng loại và chỉ dùng một luồng, hai bên trùng nhau đến từng bit; trên máy khác, thứ
# tự các phép cộng thay đổi và kết quả lệch dần. (`square_root` là *hàm thuần túy*: cùng một số thì
# cho cùng một tốc độ học, gọi bao nhiêu lần cũng vậy. Nhờ thế, ta đã vẽ nó, gọi nó, rồi huấn luyện
# với chính nó mà không hỏng gì. Đừng coi đó là hiển nhiên.)
#
# Và đây là cả 30 epoch:

# %%
display(words.figure(figures.training(runs["square-root"])))
words.table(tables.chapter_table([runs["square-root"]]))

# %% [markdown]
# Theo sách, so với trước thì kết quả tốt hơn một chút, đường cong mượt hơn, quá khớp cũng bớt đi.
# Nhưng đặt cạnh con số 0.100 của mạng sụp đổ in ở trên thì 0.882 đâu phải chỉ hơn "một chút", nên
# nhận xét ấy hẳn là so với một lần chạy không sụp đổ. Ta cũng so với những lần chạy như vậy: với
# mười hạt giống, đếm xem tốc độ học cố định có độ chính xác kiểm tra cao hơn bao nhiêu lần, và
# khoảng cách giữa tập huấn luyện và tập kiểm tra lớn hơn bao nhiêu lần.

# %%
final = {(run.experiment, run.seed): run.final for run in baseline}
pairs = [(final["constant", seed], final["square-root", seed]) for seed in range(10)]
higher = sum(a.test_acc > b.test_acc for a, b in pairs)
wider = sum(a.train_acc - a.test_acc > b.train_acc - b.test_acc for a, b in pairs)
words.print(
    f"constant: higher test accuracy in {higher}, wider gap in {wider} of {len(pairs)} seeds"
)

# %% [markdown]
# Ít quá khớp hơn: đúng, ở mọi hạt giống. Tốt hơn: không, mà ngược lại. Khoảng cách hẹp vì độ chính
# xác *huấn luyện* thấp đi, chứ không phải vì độ chính xác kiểm tra cao lên. Với tốc độ học nhỏ
# như trên, lần chạy căn bậc hai đơn giản là chưa học đến nơi. "Ít quá khớp" và "tốt hơn" là hai
# chuyện khác nhau; bảng nào cũng nên cho thấy cả hai.
#
# Vì sao quá khớp bớt đi? Sách đoán rằng bước ngắn để lại các tham số gần số 0 hơn, do đó mạng đơn
# giản hơn. Điều ấy đo được: chuẩn của toàn bộ tham số, trước khi huấn luyện và sau mỗi epoch trong
# hai epoch, với ba tốc độ học cố định.


# %%
def norm(net):
    return float(lrs.global_norm([p.data(ctx) for p in net.collect_params().values()]))


rows = []
for rate in (0.3, 0.1, 0.01):
    fast = lrs.fast_lenet()
    fast.initialize(init.Xavier(), ctx)
    fast(next(iter(test_iter))[0].as_in_ctx(ctx))  # the weights are drawn at the first minibatch
    trainer = gluon.Trainer(fast.collect_params(), "sgd", {"learning_rate": rate})
    norms = [norm(fast)]
    for _ in range(2):
        train_on(train_iter, fast, trainer)
        norms.append(norm(fast))
    rows.append((f"{rate:g}", *(f"{x:.2f}" for x in norms)))
header = ("learning rate", "at first", "after 1 epoch", "after 2 epochs")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Chuẩn nào cũng tăng, và tốc độ học càng nhỏ thì tăng càng ít. Vậy bước ngắn đúng là để lại các
# tham số nhỏ hơn: nhưng không phải gần số 0 hơn lúc đầu, chuẩn chỉ tăng ít hơn thôi. (Chúng đã đi
# bao xa kể từ điểm xuất phát thì chuẩn không cho biết.) Còn đó có phải *lý do* khiến quá khớp bớt
# đi hay không thì chưa rõ: sau hai epoch ở 0.01, mạng cũng học được ít hơn. (Chính sách cũng ngờ
# rằng điều ấy chưa giải thích được tất cả: ở đây không ai dừng sớm, chỉ có tốc độ học giảm dần.)

# %% [markdown]
# ## Những chính sách thường gặp
#
# ### Định thời thừa số
#
# Thay vì lũy thừa, mỗi bước nhân tốc độ học với một thừa số $\alpha \in (0, 1)$, và chặn dưới để
# nó khỏi tắt hẳn:
#
# $$\eta_{t+1} = \max(\eta_{\min},\ \alpha\,\eta_t).$$
#
# Sách vẽ bộ định thời này với $\alpha = 0.9$, $\eta_{\min} = 0.01$, bắt đầu từ 2.0, chứ không huấn
# luyện với nó. Mã của sách nhân trước rồi mới trả lời, nên giá trị đầu tiên đã là 1.8:

# %%
words.figure(figures.factor())

# %% [markdown]
# May mà sách không huấn luyện. Công thức này là công thức truy hồi; ai cứ thế viết nó thành mã sẽ
# được một lớp *nhớ* tốc độ học, và nhân thêm một lần mỗi khi được gọi. Lớp trong sách cũng thế; lớp
# của ta nằm bên dưới. Khi vẽ hình, mỗi $t$ chỉ gọi một lần nên không sao. Nhưng ta vừa thấy Trainer
# gọi nhiều lần trong một bước.
#
# `lrs.FactorScheduler` dùng dạng đóng của chính các giá trị ấy, $\eta_t = \max(\eta_{\min},\
# \eta_{\text{base}}\,\alpha^{t+1})$ với $\eta_{\text{base}} = 2$, chỉ phụ thuộc vào $t$.
# `FactorScheduler` của chính MXNet cũng có trí nhớ, nhưng nó dựa vào con số được đưa vào: cứ qua
# `step` bước thì nhân một lần. Hãy cho cả ba trả lời đúng những câu hỏi mà ta đã ghi lại:


# %%
class Remembering:
    """The recurrence as it stands: one factor more at every call."""

    def __init__(self, factor, floor, rate):
        self.factor, self.floor, self.rate = factor, floor, rate

    def __call__(self, num_update):
        self.rate = max(self.floor, self.factor * self.rate)
        return self.rate


settings = {"factor": 0.9, "stop_factor_lr": 1e-2, "base_lr": 2.0}
schedulers = {
    "closed form": lrs.FactorScheduler(**settings),
    "Remembering": Remembering(factor=0.9, floor=1e-2, rate=2.0),
    "MXNet's": lr_scheduler.FactorScheduler(step=1, **settings),
}
answers = {name: [f"{scheduler(n):.3f}" for n in asked] for name, scheduler in schedulers.items()}
words.table(pd.DataFrame({"num_update": asked, **answers}))

# %% [markdown]
# Với lớp có trí nhớ, trong *cùng một bước cập nhật*, mỗi nhóm tham số nhận một tốc độ học khác
# nhau, và tốc độ học chạm sàn sớm gấp mấy lần dự định. Chỉ cần đọc `trainer.learning_rate` để in ra
# cũng làm nó giảm thêm một nấc. Lớp của MXNet thì bị hỏi nhiều lần cũng không sao. So với dạng
# đóng, nó luôn thiếu hai lần nhân thừa số nên cho tốc độ học cao hơn: ở bước đầu tiên nó chưa nhân
# lần nào, còn dạng đóng với $t = 1$ đã nhân hai lần. Bài học: bộ định thời phải là hàm thuần túy
# của số bước cập nhật.
#
# ### Định thời đa thừa số
#
# Một thói quen lâu đời khi huấn luyện mạng sâu: giữ tốc độ học cho đến khi việc học chững lại,
# rồi giảm mạnh một nấc. Với tập thời điểm $s$, ở đây $s = \{15, 30\}$, và $\alpha = 0.5$:
#
# $$\eta_{t+1} = \alpha\,\eta_t \quad \text{khi } t \in s, \qquad
# \eta_{t+1} = \eta_t \quad \text{khi } t \notin s.$$
#
# Ý tưởng: ở một tốc độ học cho trước, phân phối của các trọng số dần đi đến trạng thái dừng; đến
# đó thì bước dài không còn ích gì nữa, nên giảm đi để tìm chỗ thấp hơn.

# %%
words.figure(figures.schedule(runs["multi-factor"]))

# %% [markdown]
# Sách vẽ hình này bằng `MultiFactorScheduler` của MXNet, rồi đưa *chính đối tượng vừa vẽ* cho
# Trainer. Lớp ấy có trạng thái: nó nhớ mình đã qua mốc nào và không bao giờ lùi lại. Hãy làm như
# vậy, vẽ rồi mới hỏi như khi huấn luyện, với lớp của MXNet và với lớp cùng tên của ta (các cột *đưa
# vào* là giá trị ứng với số bước mà Trainer đưa vào):

# %%
steps = {"step": [15, 30], "factor": 0.5, "base_lr": 0.5}
header = ["class from", "plotted at 1", *(f"fed {n}" for n in (1, 30, 31, 7050))]
rows = []
for make in (lr_scheduler.MultiFactorScheduler, lrs.MultiFactorScheduler):
    scheduler = make(**steps)
    plotted = [scheduler(t) for t in range(30)]
    fed = [scheduler(n) for n in (1, 30, 31, 7050)]
    rows.append([make.__module__.split(".")[0], *map(str, [plotted[1], *fed])])
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Lớp của MXNet bắt đầu huấn luyện ở 0.25: việc vẽ hình đã tiêu mất mốc 15. Dù thuần túy hay
# không, sau bước 30 cả hai đều ở 0.125 cho đến hết. Nói cách khác, lần chạy "đa thừa số" trong
# sách, cũng là lần có kết quả đẹp nhất, chẳng qua là chạy với tốc độ học cố định 0.125, trừ 30
# bước đầu trong 7050 bước.

# %%
display(words.figure(figures.training(runs["multi-factor"])))
words.table(tables.chapter_table([runs["multi-factor"]]))

# %% [markdown] tags=["question"]
# **Câu hỏi 2.** Sách nói nghiệm tìm được tốt hơn đôi chút nhờ giảm tốc độ học đúng lúc việc học
# chững lại. Trong lần chạy đa thừa số của sách có lúc nào như thế không? Muốn có, `step` phải là
# bao nhiêu?

# %% [markdown] tags=["answer"]
# **Trả lời câu 2.** Không. Tốc độ học bị giảm lần cuối ngay sau bước 30, trong epoch đầu, khi mất
# mát còn giảm nhanh. Muốn giảm sau 15 và 30 epoch thì `step` phải là $15 \times 235 = 3525$ và $30
# \times 235 = 7050$; mốc thứ hai đến quá muộn, không còn tác dụng gì.

# %% [markdown]
# ### Định thời cô-sin
#
# Loshchilov và Hutter [2016] đề nghị một đường cong không vội giảm lúc đầu, và về cuối thì giảm
# chậm lại ở những giá trị rất nhỏ để tinh chỉnh nghiệm. Với $t \in [0, T]$:
#
# $$\eta_t = \eta_T + \frac{\eta_0 - \eta_T}{2}\left(1 + \cos\frac{\pi t}{T}\right),$$
#
# và $\eta_t = \eta_T$ khi $t > T$. Sách chọn $\eta_0 = 0.5$, $\eta_T = 0.01$, $T = 20$:

# %%
words.figure(figures.schedule(runs["cosine"]))

# %% [markdown]
# Giờ bạn đã biết phải hỏi gì: 20 *cái gì*? MXNet đếm bước cập nhật, nên cả đường cô-sin nằm gọn
# trong chưa đầy một phần mười của epoch đầu. Dưới đây là epoch ấy, phóng to; 29 epoch sau là
# đường nằm ngang ở 0.01.

# %%
cosine = {"max_update": 20, "base_lr": 0.5, "final_lr": 0.01}
cosine_scheduler = lrs.CosineScheduler(**cosine)
title = "Cosine, fed with updates"
words.figure(drawing.two_axes(cosine_scheduler, per_epoch, per_epoch, title))

# %%
display(words.figure(figures.training(runs["cosine"])))
words.table(tables.chapter_table([runs["cosine"]]))

# %% [markdown]
# Mạng học chậm hẳn so với ba lần trước. Sách kết luận rằng dùng cô-sin chưa chắc đã tốt hơn. Điều
# ấy có thể đúng, nhưng lần chạy này không nói gì về cô-sin cả: nó chỉ nói về tốc độ học 0.01.
#
# ### Khởi động
#
# Bước dài ngay từ đầu thì nguy hiểm, bước ngắn mãi thì chậm; vậy hãy bắt đầu bằng bước ngắn rồi
# dài dần: tăng tuyến tính tốc độ học trong $W$ bước đầu, sau đó mới theo kế hoạch chính. MXNet
# tính cả thời gian khởi động *vào trong* $T$:
#
# $$\eta_t = \begin{cases}
# \eta_{\text{đầu}} + (\eta_0 - \eta_{\text{đầu}})\,\dfrac{t}{W}, & t < W, \\[2ex]
# \eta_T + \dfrac{\eta_0 - \eta_T}{2}\left(1 + \cos\dfrac{\pi (t - W)}{T - W}\right),
# & W \le t \le T.
# \end{cases}$$
#
# Sách lấy $W = 5$, $\eta_{\text{đầu}} = 0$:

# %%
display(words.figure(figures.schedule(runs["cosine-warmup"])))
display(words.figure(figures.training(runs["cosine-warmup"])))
words.table(tables.chapter_table([runs["cosine-warmup"]]))

# %% [markdown]
# Sách bảo ta nhìn vào 5 epoch đầu: ở giai đoạn ấy mạng được cho là hội tụ tốt hơn. Nhưng khởi
# động chỉ kéo dài 5 *bước*, không phải 5 epoch, và sau bước 20 hai lần chạy cô-sin có cùng tốc độ
# học 0.01. Nếu khởi động như vậy có ích thì ích lợi phải hiện ra ở epoch đầu tiên. Ta đếm xem ở
# bao nhiêu hạt giống, khởi động cho mất mát của epoch đầu thấp hơn:

# %%
first = {(run.experiment, run.seed): run.epochs[0].train_loss for run in baseline}
lower = [first["cosine-warmup", seed] < first["cosine", seed] for seed in range(10)]
words.print(f"lower with warmup in {sum(lower)} of {len(lower)} seeds")

# %% [markdown]
# Chẳng khác gì tung đồng xu. Chạy một lần thì luôn có bên thắng; phải chạy nhiều lần mới biết
# bên ấy thắng nhờ giỏi hay nhờ may.
#
# Có thể đặt khởi động trước bất cứ bộ định thời nào, không riêng gì cô-sin:
# `lrs.WarmupScheduler(bộ_định_thời, warmup_steps)`. Gotmare và cộng sự [2018] khảo sát vì sao nó
# có ích ở các mạng rất sâu: nó hạn chế mức thay đổi của trọng số ở những tầng sâu, tức là gần đầu
# ra.
#
# ## Theo sách in và theo ý định của sách
#
# Vậy mỗi bộ định thời có hai cách hiểu. *Theo sách in*: Trainer đưa vào số bước cập nhật, như trong
# năm lần chạy của sách. *Theo ý định của sách*: mỗi epoch chỉ đọc bộ định thời một lần, ở $t = 0,
# 1, \ldots, 29$, đúng như lời văn và các hình của sách muốn nói. Với cách sau, chỉ cần một lớp bọc:

# %%
warm = lrs.PerEpoch(lrs.CosineScheduler(**cosine, warmup_steps=5), per_epoch)
title = "Cosine with warmup, read once an epoch"
words.figure(drawing.two_axes(warm, 30 * per_epoch, per_epoch, title))

# %% [markdown]
# Bản PyTorch của sách hiểu theo cách thứ hai: nó gọi bộ định thời sau mỗi *epoch*. Notebook của bản
# ấy được lưu lại ở 50 bản dựng, với các kết quả sau (trung bình ± độ lệch chuẩn):

# %%
lines = [
    (each.framework, name, result.train_loss, result.test_acc)
    for each in others()
    for name, result in each.results.items()
]
printed = pd.DataFrame(lines, columns=["edition", "schedule", "train loss", "test acc"])
of_pytorch = printed[printed.edition == "PyTorch"].groupby("schedule", sort=False)
words.table(of_pytorch[["train loss", "test acc"]].agg(stats.mean_sd).reset_index())

# %% [markdown]
# Ở đó hai bộ cô-sin tốt nhất trong năm bộ, với độ chính xác kiểm tra 0.90, trong khi bản MXNet in
# 0.85: lời văn gần như cũ, đường cong cùng dạng, khác cách hiểu. (Ở bản ấy cô-sin bắt đầu từ 0.3
# chứ không phải 0.5, và PyTorch rút trọng số theo cách khác; không bản dựng nào sụp đổ. Vậy không
# được trộn những số này với số của ta.) Muốn dùng một bộ định thời của ta trong PyTorch, đọc theo
# bước cập nhật, hãy viết:
#
# ```python
# optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
# scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: schedule(n + 1))
# ```
#
# rồi gọi `scheduler.step()` sau mỗi `optimizer.step()`. Có số 1 là vì PyTorch đếm từ 0, còn MXNet
# đếm từ 1.
#
# Hình dưới đặt cả chín lần chạy (hạt giống 0) cạnh nhau. Bên trái là tốc độ học của từng bước, cả
# hai trục theo thang logarit: nét liền là theo sách in, nét đứt là theo ý định của sách. Hãy xem
# hai đường mang cùng một tên có thể xa nhau đến mức nào. (Đọc mỗi epoch một lần thì khởi động đi
# hết epoch đầu với tốc độ 0, mà thang logarit không có chỗ cho số 0: nét đứt của nó bắt đầu từ
# epoch thứ hai.) Bên phải là độ chính xác kiểm tra của những mạng không sụp đổ; vòng tròn là số in
# trong sách.

# %%
display(words.figure(figures.overview(runs.values())))
words.table(tables.chapter_table(runs.values()))

# %% [markdown]
# Ba trong bốn lần chạy *theo ý định của sách* đã sụp đổ! Trước khi hỏi vì sao, hãy trả lời nốt một
# câu về năm lần chạy đã in.
#
# ## Những số đã in có khớp không?
#
# Số in trong sách là kết quả của *một* lần chạy, mà kết quả thì đổi theo hạt giống. Nên đừng hỏi
# "có bằng số của ta không", mà hãy hỏi: **nếu ta chạy thêm một lần nữa, kết quả có thể rơi vào
# chỗ ấy không?** Từ $n$ lần chạy với trung bình $\bar x$ và độ lệch chuẩn $s$, khoảng dự đoán cho
# một lần chạy mới là
#
# $$\bar x \pm t_{1-\alpha/2,\,\nu}\; s\,\sqrt{1 + \tfrac{1}{n}},$$
#
# với $t$ là phân vị của phân phối Student, $\nu$ là số bậc tự do của $s$, và $\alpha$ là 5 % chia
# đều cho mọi phép so sánh. Nơi nào các thí nghiệm dao động như nhau thì $s$ tính chung cho chúng.
# Sụp đổ là chuyện khác hẳn chứ không phải một giá trị ngoại lai, nên những lần sụp đổ không được
# tính vào khoảng này; còn có sụp đổ hay không (*kết cục*) thì so bằng tỷ lệ, với khoảng tin cậy
# rộng hơn khoảng 95 % ở phần trước, cũng vì $\alpha$ đã chia nhỏ. Mỗi số nhận một trong ba kết
# luận:
#
# - **KHÁC**: nằm ngoài khoảng.
# - **PHÙ HỢP**: nằm trong khoảng, và khoảng đủ hẹp để điều đó có ý nghĩa.
# - **CHƯA ĐỦ ĐỂ KẾT LUẬN**: nằm trong, nhưng khoảng rộng đến mức gần như số nào cũng lọt, nên chẳng
#   nói lên điều gì. "Rộng" nghĩa là bề rộng lớn hơn khoảng cách giữa lần chạy tốt nhất và kém nhất
#   trong những lần không sụp đổ của sách (*bề rộng tối đa*).
#
# Với kết cục, bảng ghi tỷ lệ những lần chạy của ta kết thúc như của sách. Ở đó, PHÙ HỢP nghĩa là cả
# khoảng nằm trên 0.05, KHÁC nghĩa là cả khoảng nằm dưới, CHƯA ĐỦ ĐỂ KẾT LUẬN nghĩa là 0.05 nằm
# trong khoảng.

# %%
verdicts = compare(baseline)
words.print(counts(verdicts))
words.figure(seeds.baseline(baseline))

# %%
words.table(tables.verdict_table(verdicts).iloc[:, :8])

# %% [markdown]
# - **Không có số nào KHÁC.** Chỗ nào khoảng đủ hẹp thì số của sách khớp với số của ta, tức là khớp
#   với cách hiểu theo *bước cập nhật*. Hai lần chạy cô-sin, nếu đọc theo epoch và không sụp đổ, kết
#   thúc với mất mát huấn luyện thấp hơn hẳn số in trong sách: đó là bằng chứng cho điều ta suy ra
#   từ mã nguồn.
# - **Độ chính xác kiểm tra là phép thử yếu nhất**: mọi hàng của nó đều CHƯA ĐỦ ĐỂ KẾT LUẬN. Theo
#   các khoảng dự đoán, chỉ đổi hạt giống thôi, nó đã có thể xê dịch nhiều hơn khoảng cách giữa các
#   bộ định thời trong sách. Vì thế những câu như "tốt hơn một chút", khi mỗi bên chỉ chạy một lần,
#   không đủ sức đứng vững.
# - **Nhưng không phải mọi bộ định thời đều như nhau.** Lấy ngẫu nhiên mỗi bộ định thời một lần
#   chạy: tốc độ học cố định, căn bậc hai và đa thừa số hầu như luôn cho độ chính xác cao hơn hai bộ
#   cô-sin, vốn học ở 0.01 gần như suốt quá trình.
#
# ## Một hạt giống gồm những gì?
#
# Hạt giống quyết định hai thứ: trọng số ban đầu, và thứ tự các ảnh. Sách không đặt hạt giống. Thế
# mà 97 bản dựng của sách, làm từ 2019 đến 2023, phần lớn lại giống nhau hơn các hạt giống của ta.
# Vì sao?
#
# Trong một tiến trình không ai đặt hạt giống cho MXNet, bộ sinh số ngẫu nhiên của MXNet luôn bắt
# đầu từ cùng một trạng thái. Và Gluon rút trọng số trên CPU, kể cả khi huấn luyện trên GPU. Vậy mọi
# bản dựng đều bắt đầu một lần chạy với *cùng những trọng số*. Chỉ thứ tự ảnh là khác, vì bộ sinh số
# của NumPy thì mỗi lần mỗi khác. 97 bản dựng là một lần rút trọng số, được đo 97 lần.
#
# Như thế ta cũng rút được trọng số của sách: huấn luyện năm lần chạy của sách lần lượt trong một
# tiến trình, không đặt hạt giống nào ngoài hạt giống của thứ tự ảnh. Trong hình dưới, mỗi điểm là
# epoch cuối của một lần chạy không sụp đổ. Đen là các bản dựng, hình thoi là số in trong chương,
# xanh lam là các lần chạy của ta với trọng số của sách, hồng là với trọng số khác, mỗi vạch là
# trung bình của một bộ trọng số ban đầu.

# %%
words.figure(builds_figures.builds(drawn, builds))

# %% [markdown]
# Hãy nhìn mất mát huấn luyện của các bộ định thời nhẹ hơn, trong hình là *gentler* (một số bản dựng
# của sách cho căn bậc hai bắt đầu từ 0.1, cô-sin từ 0.3): các bản dựng nằm tụ một chỗ, các lần chạy
# của ta với cùng trọng số cũng vậy; với trọng số khác thì tản ra xa.
#
# Còn một điều chưa giải thích được: độ chính xác kiểm tra của các bản dựng cao hơn. Sách huấn luyện
# trên bản phát hành đầu tiên của Fashion-MNIST, tức là một cách chọn ảnh khác từ cùng một kho ảnh.
# Bản ấy nay không còn tải được, nhưng ta có thể xem một cách chọn khác thay đổi điều gì. Gộp 70 000
# ảnh hiện nay lại rồi chia lại ngẫu nhiên: đó là các điểm xanh lục. Bảng dưới cho biết trung bình
# của các bản dựng còn lại bao nhiêu sau khi giải thích bằng cả trọng số của sách lẫn phép chia ngẫu
# nhiên, bằng riêng phép chia, bằng riêng trọng số, hoặc không bằng thứ nào (lấy trung bình của các
# bản dựng trừ trung bình của ta). Trọng số của sách chưa được huấn luyện trên cách chia khác, nên ở
# hai cột *trọng số và phép chia* (điều mà cả hai cùng dự đoán) và *còn lại sau cả hai*, phần của
# trọng số được cộng thêm vào. Khoảng nào chứa số 0 thì số liệu chưa cho thấy còn lại gì.

# %%
left = builds_tables.left_table(drawn, builds)
words.table(left[left.experiment.isin(["square-root", "cosine"])])

# %% [markdown]
# Trọng số và phép chia cùng nhau không để lại gì ở 14 trong 15 hàng như thế (bảng đầy đủ và mọi thứ
# khác nằm trong [mọi con số sách đã in](../figures/chapter/builds.md)); riêng phép chia thì ở 7
# hàng, riêng trọng số thì ở 4 hàng. Vậy tập kiểm tra hiện nay khó hơn một chút so với một tập chọn
# ngẫu nhiên, còn trọng số thì mỗi lần chạy trong năm lần của sách có một bộ riêng: với cùng thứ tự
# ảnh, ở lần chạy cô-sin, độ chính xác kiểm tra của epoch cuối cao hơn với phần lớn trọng số khác; ở
# bốn lần kia thì cũng chỉ như những bộ khác.
#
# Còn thứ tự ảnh? Đây là cô-sin với 32 bộ trọng số ban đầu, mỗi bộ chạy với cùng năm thứ tự:

# %%
of_order = measures.today(drawn, "cosine").groupby("order").test_acc
words.table(of_order.agg(stats.mean_sd).reset_index(name="test acc"))

# %% [markdown]
# Năm trung bình ấy có độ lệch chuẩn 0.012: mỗi thứ tự đẩy *mọi* mạng về cùng một phía, vì những
# minibatch cuối cùng trước khi kiểm tra là như nhau với mọi mạng. Độ phân tán bên trong mỗi thứ tự
# có hai phần: 0.005 là phần mà trọng số gây ra ở mọi thứ tự, phần kia là của riêng từng lần chạy
# ([trang về các bản dựng](../figures/chapter/builds.md) tính cả hai). Vậy những lần chạy chung thứ
# tự cũng không độc lập. Muốn so sánh hai phương pháp, hãy dùng cùng các hạt giống cho cả hai, và
# dùng nhiều hạt giống.

# %% [markdown] tags=["question"]
# **Câu hỏi 3.** 7 trong 87 bản dựng sụp đổ ở tốc độ học cố định. Đó là tỷ lệ của mọi mạng, hay chỉ
# của một bộ trọng số ban đầu? Những lần chạy nào sẽ cho câu trả lời?

# %% [markdown] tags=["answer"]
# **Trả lời câu 3.** Chỉ của một bộ trọng số ban đầu: ở cùng một lần chạy của sách, mọi bản dựng đều
# xuất phát từ cùng một bộ trọng số. Những lần chạy với trọng số khác cho biết về mọi mạng; những
# lần chạy với trọng số của sách và thứ tự ảnh khác cho biết về riêng bộ ấy; notebook có cả hai.

# %% [markdown]
# Trở lại các hạt giống của ta. Bảng ghi trung bình và độ lệch chuẩn của những lần không sụp đổ. Cột
# *độ dao động lúc cuối* cho biết độ chính xác kiểm tra của một lần chạy còn dao động bao nhiêu: đó
# là độ lệch chuẩn của độ chính xác ấy qua năm epoch cuối.

# %%
words.table(tables.summary_table(baseline))

# %% [markdown]
# Hãy nhìn cột cuối. Ở năm thí nghiệm *theo sách in*, độ chính xác kiểm tra của một lần chạy dao
# động khoảng 0.01 qua các epoch cuối (với căn bậc hai thì chỉ bằng một nửa), gần bằng mức chênh
# lệch giữa các lần chạy: một lần chạy kết thúc ở con số nào phần lớn là do may rủi ở epoch cuối.
# Với hai bộ cô-sin đọc theo epoch, độ chính xác gần như đứng yên. Cả bốn bộ cô-sin đều kết thúc ở
# tốc độ học 0.01; nhưng với hai bộ này, mạng đã học ở 0.5 rồi tốc độ học mới giảm xuống đó, còn với
# hai bộ kia, tốc độ học gần như từ đầu đã là 0.01. Vậy đó là việc mà tốc độ học giảm dần làm được ở
# cuối quá trình huấn luyện: giúp mạng ổn định lại. Hãy xem trên hình, với hạt giống 1:

# %%
last = {
    run.experiment: [epoch.test_acc for epoch in run.epochs[19:]]
    for run in baseline
    if run.seed == 1 and run.experiment in ("constant", "cosine", "cosine-warmup-per-epoch")
}
axes = pd.DataFrame(last, index=range(20, 31)).plot(
    xlabel="epoch", ylabel="test acc", figsize=(4.5, 2.5)
)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
words.figure(axes.figure)

# %% [markdown]
# ## Mất mát huấn luyện bằng nhau, độ chính xác kiểm tra khác nhau
#
# Phần tóm tắt của sách nói rằng với cùng một lỗi huấn luyện, các bộ định thời có thể cho mức khái
# quát hóa khác nhau. Các lượt rút của ta cho thấy điều đó. Dưới đây là ba bộ định thời kết thúc với
# mất mát huấn luyện gần như nhau; mỗi điểm là một lần chạy không sụp đổ:

# %%
alike = ("constant", "multi-factor-per-epoch", "cosine-warmup-per-epoch")
trained = drawn[drawn.trained & drawn.split.isna() & drawn.experiment.isin(alike)]
axes = d2l.plt.subplots(figsize=(4.5, 3))[1]
for name, of in trained.groupby("experiment"):
    axes.plot(of.train_loss, of.test_acc, "o", markersize=3, alpha=0.5, label=name)
axes.set(xlabel="train loss", ylabel="test acc")
axes.legend()
display(words.figure(axes.figure))
means = trained.groupby("experiment")[["train_loss", "test_acc"]].agg(stats.mean_sd)
words.table(means.reset_index().rename(columns=tables.words))

# %% [markdown]
# Cả ba khớp với ảnh huấn luyện như nhau, mất mát trung bình khoảng 0.15. Thế mà độ chính xác kiểm
# tra là 0.878 với tốc độ học cố định và với đa thừa số, còn với cô-sin có khởi động là 0.903; ngay
# lần chạy kém nhất của nó, 0.892, cũng cao hơn gần chín phần mười số lần chạy của hai bộ kia. Chúng
# khác nhau ở nhiều điểm, nhưng cũng ở tốc độ học lúc cuối: 0.3, 0.25 và 0.01. Vậy chỉ hỏi việc huấn
# luyện đã đi được bao xa thì chưa đủ; nó dừng lại như thế nào có thể cũng quan trọng.
#
# ## Vì sao mạng sụp đổ
#
# Bốn trong chín thí nghiệm đọc bộ định thời theo epoch. Đếm riêng những lần sụp đổ, ta được:

# %%
words.table(share_table(baseline, EXPERIMENTS))

# %% [markdown]
# Khi bộ định thời được đọc *theo sách in*, không mạng nào trong bảng sụp đổ; khi đọc *theo ý định
# của sách*, nhiều mạng sụp đổ. Khác biệt nằm ở lúc bắt đầu. Đọc theo bước cập nhật, các tốc độ học
# cao chỉ kéo dài vài bước. Đọc theo epoch, mạng vừa khởi tạo phải chịu *trọn 235 bước* ở 1.0 hay ở
# 0.5, và nhiều mạng không chịu nổi. Hai lần chạy dưới đây cùng hạt giống, cùng thiết lập, chỉ khác
# là lần sau bắt đầu bằng năm epoch khởi động, nên đường cô-sin phía sau ngắn hơn:

# %%
display(words.figure(figures.training(runs["cosine-per-epoch"])))
display(words.figure(figures.training(runs["cosine-warmup-per-epoch"])))

# %% [markdown]
# Hình thứ nhất cho thấy một mạng sụp đổ điển hình: mất mát đứng yên ở $\ln 10$. Mạng ở hình thứ hai
# không sụp đổ, và tốt hơn mọi lần chạy cô-sin *theo sách in*. (Nó phẳng trong epoch đầu là vì khởi
# động bắt đầu từ 0: cả epoch ấy trôi qua với tốc độ học bằng 0. Ở epoch thứ tư, mất mát vọt lên một
# lần; với các hạt giống khác thì không.) Phải chăng đến đây ta mới thấy điều sách muốn nói về khởi
# động? Chỉ một cặp lần chạy thì chưa chứng minh được gì. Trong các lần chạy ở bảng trên, cô-sin có
# khởi động không lần nào sụp đổ, nhưng số lần còn ít. Còn trong các lượt rút (*của ta, theo hạt
# giống* ở bảng dưới), mỗi bộ định thời có 30 lần chạy. Cột *sau epoch 1*
# đếm những mạng mà lần sụp đổ cuối cùng chỉ bắt đầu từ lúc ấy:

# %%
intended = [name for name in EXPERIMENTS if name.endswith("per-epoch")]
words.table(collapses[collapses.experiment.isin(intended)])

# %% [markdown]
# Có khởi động, số mạng sụp đổ gần bằng khi không có; chỉ là sụp đổ muộn hơn, sau khi đã học được.
# Khởi động đưa mạng qua những bước đầu. Sau đó tốc độ học ở đỉnh 0.5, và với nhiều mạng, giá trị ấy
# lúc nào cũng quá cao. (Các đỉnh thấp hơn có trong [bài tập](exercises_vi.ipynb).)
#
# Mạng đã sụp đổ có hồi phục được không? Thường thì không. Nhưng trong các lượt rút có chín mạng hồi
# phục, phần lớn sau vài epoch; mạng này lâu nhất:

# %%
(recovered,) = (d for d in draws.read() if len(d.collapsed) == 17 and d.collapsed[-1] == 17)
print(recovered.case)
curves = {"train loss": recovered.train_loss, "test acc": recovered.test_acc}
axes = pd.DataFrame(curves, index=range(1, 31)).plot(xlabel="epoch", figsize=(4.5, 2.5))
words.figure(axes.figure)

# %% [markdown]
# Suốt hơn nửa quá trình huấn luyện, mọi ảnh nhận gần như cùng một bộ điểm (điểm của cùng một lớp ở
# hai ảnh bất kỳ chênh nhau chưa tới 0.01), rồi mạng bắt đầu học. Ta chưa đo vì sao. Một cách hiểu
# hợp lý nằm ở hai chữ "gần như": chừng nào còn một nơ-ron phản ứng với vài ảnh thì vẫn còn một khe
# hẹp cho gradient, và đến lúc ấy tốc độ học đã đủ nhỏ để gradient kịp kéo mạng trở lại.

# %% [markdown] tags=["question"]
# **Câu hỏi 4 đến 6.**
#
# 4. Với đa thừa số và với cô-sin đọc theo epoch, số lần mạng sụp đổ gần bằng nhau, và phần lớn là ở
#    cùng những hạt giống. Vì sao điều đó không lạ? (So tốc độ học của chúng trong epoch đầu.)
# 5. Bạn thấy mất mát đứng ở 2.303 sau epoch đầu. Nên chờ hay nên dừng? Bạn sẽ đo thêm đại lượng
#    nào trước khi quyết định?
# 6. Hãy thiết kế một bộ định thời có đỉnh là 0.5 mà ít mạng sụp đổ hơn. Khởi động dài hơn có đủ
#    không? Bạn sẽ đếm thế nào để biết nó có ích?

# %% [markdown] tags=["answer"]
# **Trả lời câu 4 đến 6.**
#
# 4. Trong epoch đầu, đọc theo epoch, cả hai có tốc độ học 0.5 ở mọi bước. Với cùng hạt giống, đến
#    lúc ấy hai lần chạy là một, và mạng nào sụp đổ sớm thì sụp đổ ở cả hai.
# 5. Trước hết hãy xem tốc độ học: với khởi động bắt đầu từ 0, epoch đầu chưa học gì cả, và không có
#    gì đáng lo. Nếu không phải vậy, hãy so điểm của hai ảnh. Bằng nhau thì mạng đã sụp đổ; thường
#    thì nó không hồi phục. Khác nhau thì chờ. Chuẩn của gradient và tỷ lệ các relu bằng 0 với mọi
#    ảnh cũng cho biết điều ấy.
# 6. Ở đây không độ dài nào làm cho đỉnh 0.5 an toàn: với năm epoch khởi động, 9 trong 30 lượt rút
#    sụp đổ. Câu trả lời tốt thì hạ tốc độ học ngay sau khi tới đỉnh, hoặc gọt gradient, và nói rõ
#    sẽ đếm thế nào.

# %% [markdown]
# ## Nên dùng bộ định thời nào?
#
# Đến giờ, bộ định thời nào cũng chạy với tốc độ học mà sách cho nó. So như thế chưa công bằng: bộ
# nào gặp tốc độ học không hợp thì trông sẽ kém. Vậy ta so lại, theo những quy tắc đặt ra trước lần
# chạy đầu tiên. Với bộ nào trong mười một bộ định thời, mạng cũng học mười epoch, và mỗi bộ có
# *đỉnh* riêng, tức tốc độ học mà cả đường cong của nó được nhân với.
#
# - *constant* giữ nguyên đỉnh. *cooldown* cũng vậy, nhưng trong một phần năm cuối thì giảm theo
#   đường thẳng.
# - *linear*, *cosine* và *poly* giảm ngay từ bước đầu: theo đường thẳng, theo nửa đường cô-sin,
#   theo bình phương của thời gian còn lại.
# - *warmup-cosine* tăng từ 0 trong một phần mười lần chạy, *one-cycle* tăng từ đỉnh chia 25 trong
#   30 % lần chạy; sau đó cả hai giảm theo nửa đường cô-sin. *restarts* là ba nửa đường cô-sin nối
#   nhau, đường sau dài gấp đôi đường trước.
# - *steps* còn một phần mười đỉnh sau nửa lần chạy và một phần trăm đỉnh sau ba phần tư. *plateau*
#   giảm còn một phần ba sau mỗi epoch mà mất mát huấn luyện chưa giảm được 10 % so với mức thấp
#   nhất trước đó.
# - *square-root*, ở bước cập nhật thứ $n$, là đỉnh chia cho $\sqrt{n + 1}$; nó không bao giờ học ở
#   đúng đỉnh.
#
# Nếu không nói gì khác, đường cong kết thúc ở một phần trăm đỉnh của nó.
#
# Để tìm đỉnh hợp với từng bộ, mọi bộ đều thử cùng một loạt đỉnh. Mạng học trên 55 000 ảnh huấn
# luyện và được chấm trên 5 000 ảnh còn lại, để riêng làm *tập kiểm định*, theo trung vị của năm hạt
# giống. Mạng hỏng, tức sụp đổ hoặc không còn hữu hạn, tính là 0: trung vị chỉ xét thứ tự, và như
# vậy mạng ấy đứng cuối. (Ai đã dùng tập kiểm tra để chọn thì không thể dùng nó để đánh giá nữa:
# trên đó, kết quả của thứ được chọn trông đẹp hơn thực tế.) Mọi quy tắc có ở [trang của nghiên
# cứu](../figures/choice/README.md).

# %%
choice = record.read("../figures/choice/runs.jsonl")
tested = ranges.stored("../figures/choice/range-test.jsonl", seeds=5)
words.figure(choice_figures.sensitivity(choice, tested.suggestion))

# %% [markdown]
# Mỗi khung là một bộ định thời, mỗi điểm là một mạng. Mỗi dấu chéo là một mạng hỏng; các dấu chéo
# xếp chồng ở đáy khung, nên chỉ có số lượng của chúng là có nghĩa. Hình thoi là đỉnh được chọn;
# vạch xanh lục kéo dài từ đỉnh *tốt* thấp nhất đến đỉnh tốt cao nhất; đỉnh tốt là đỉnh có trung vị
# không thấp hơn trung vị của đỉnh được chọn quá 0.01. Những gì nằm dưới 0.78 không hiện trên hình.
# (Đường chấm sẽ được giải thích ở dưới.)
#
# Hãy để riêng căn bậc hai, vốn tốt từ 0.7 trở lên. Khi ấy mọi đỉnh được chọn nằm từ 0.3 đến 0.7, và
# 0.2 cùng 0.3 là đỉnh tốt với mọi bộ còn lại. Ở 0.7, mỗi bộ còn lại có ít nhất ba trong năm mạng
# hỏng, riêng *warmup-cosine* và *one-cycle*, vốn bắt đầu thấp, chỉ có hai. Vậy đỉnh tốt chưa chắc
# đã an toàn: trung vị vẫn cho phép hỏng hai mạng trong năm.
#
# Sau đó, với mỗi bộ định thời, ta huấn luyện mạng ở đỉnh của nó với hai mươi hạt giống mới, trên cả
# 60 000 ảnh, và chỉ những mạng ở các đỉnh này mới gặp tập kiểm tra. (*Độ chính xác kiểm tra* là
# trung bình ± độ lệch chuẩn của những mạng học được; trong *trung vị*, mạng hỏng tính là 0.)

# %%
words.table(choice_tables.reached(choice, "plain"))

# %% [markdown] tags=["question"]
# **Câu hỏi 7.** Không bộ nào kết thúc cao hơn *cooldown*, mà cũng không bộ nào dao động nhiều hơn
# nó trong năm epoch cuối. Vì sao hai điều ấy cùng đúng?

# %% [markdown] tags=["answer"]
# **Trả lời 7.** Năm epoch là một nửa của những lần chạy này. Trong hai epoch cuối, tốc độ học giảm
# xuống, và độ chính xác kiểm tra trung bình tăng từ 0.868 lên 0.896. Cột ấy tính cả mức tăng này;
# còn với tốc độ học giữ ở mức cao thì nó chủ yếu tính những lần lên xuống.

# %% [markdown]
# Bảng sau so từng bộ với tốc độ học cố định: độ chính xác thì so theo từng *cặp*, tức những hạt
# giống mà cả hai mạng đều học được, còn số mạng hỏng thì so bằng kiểm định Fisher (các kiểm định
# được giải thích ở [gọt gradient](gradient_clipping_vi.ipynb)). Cả hai loại giá trị p đều đã hiệu
# chỉnh Holm, các khoảng tin cậy thì không. *Chưa ngã ngũ* nghĩa là những lần chạy này chưa đủ để
# trả lời, chứ không chứng minh rằng hai bên bằng nhau.

# %%
words.table(choice_tables.compared(choice, "plain"))

# %% [markdown]
# Tám trong mười bộ kết thúc với độ chính xác kiểm tra cao hơn tốc độ học cố định; với *cosine* và
# *one-cycle* thì chỉ xét những mạng học được. Căn bậc hai thấp hơn, còn *poly* thì chưa ngã ngũ.
# Trung vị cao nhất là của *cooldown*, 0.8970, và *warmup-cosine*, 0.8963, và không mạng nào trong
# số này hỏng (lúc chọn đỉnh, với *warmup-cosine* có một trong năm mạng hỏng). Ở ba bộ khác, 19
# trong 60 mạng hỏng. Lúc chọn đỉnh, *poly* và *cosine* ở 0.45 chưa hỏng mạng nào trong năm;
# *one-cycle* ở 0.7 hỏng hai mạng, điều mà trung vị cho phép.
#
# Nhưng hãy xem điều gì xảy ra ngay trước khi kiểm tra. 60 000 không chia hết cho 256: minibatch
# cuối của mỗi epoch chỉ có 96 ảnh, nên gradient của nó nhiễu hơn các minibatch khác, và nếu tốc độ
# học còn cao thì mạng đi trọn một bước theo gradient ấy. Vì thế, ta huấn luyện lại với tốc độ học
# cố định và cùng các hạt giống, nhưng bước cập nhật cuối cùng của cả lần chạy có tốc độ học bằng 0.
# Bảng sau so mọi bộ với những lần chạy ấy; hàng đầu là điều mà một bước cập nhật này gây ra cho tốc
# độ học cố định. (Câu hỏi này được đặt ra khi đã biết mọi kết quả khác, sau khi một người đọc đã
# chạy thử như thế.)

# %%
words.table(choice_tables.compared(choice, "skipped"))

# %% [markdown]
# Một bước cập nhật ấy làm giảm độ chính xác kiểm tra ở cả hai mươi hạt giống, trung bình 0.0103. So
# với tốc độ học cố định không có bước ấy, chỉ hai bộ được kết luận là có độ chính xác cao hơn:
# *cooldown*, hơn 0.0094, và *warmup-cosine*, hơn 0.0081. Vậy ở đây, một phần đáng kể cái lợi của
# tốc độ học thấp chỉ là do bước cuối cùng của nó nhỏ. (Lúc chọn đỉnh, minibatch cuối có 216 ảnh và
# có thể ít gây hại hơn; vì thế 0.3 có thể không phải đỉnh tốt nhất cho tốc độ học cố định khi
# minibatch cuối có 96 ảnh.) Dữ liệu của bạn cũng có minibatch cuối: hãy biết nó lớn bao nhiêu.
#
# Còn khi gọt gradient ở 0.7 (xem [gọt gradient](gradient_clipping_vi.ipynb)), với cùng các đỉnh ấy:

# %%
words.table(choice_tables.reached(choice, "clipped"))

# %% [markdown]
# Có gọt thì không mạng nào trong 220 mạng hỏng, không gọt thì 19 trong 220. Xét riêng từng bộ, chỉ
# ở *one-cycle* điều này đã ngã ngũ. Độ chính xác của *cosine* và *one-cycle* tăng lên, và trung vị
# của *one-cycle*, 0.8994, nay cao nhất. Độ chính xác của căn bậc hai thì giảm, có lẽ vì những bước
# đầu dài của nó bị gọt. Mọi khác biệt còn lại đều chưa ngã ngũ (các kiểm định có ở [trang của
# nghiên cứu](../figures/choice/README.md)).
#
# **Vậy nên dùng bộ nào?** Với mạng này và mười epoch: về cuối, hãy cho tốc độ học giảm xuống. Giữ
# tốc độ học 0.3 rồi cho giảm dần trong một phần năm cuối thì độ chính xác kiểm tra trung bình cao
# hơn 0.0197 so với giữ nguyên đến hết, và vẫn cao hơn 0.0094 so với giữ nguyên mà bỏ minibatch
# cuối, vốn nhỏ. *warmup-cosine* có trung vị gần như vậy. Ở đỉnh từ 0.45 trở lên, hãy gọt gradient
# (trừ căn bậc hai, vì gọt thì độ chính xác của nó giảm): có gọt thì không mạng nào hỏng, tuy chỉ ở
# *one-cycle* mới ngã ngũ rằng đó là nhờ gọt.
# Những lần chạy này không nói được gì hơn: các bộ giảm dần chưa được so với nhau.
#
# Tìm các đỉnh mất 390 lần chạy. Có đường tắt không? Trong *phép thử dải tốc độ học* (range test)
# [Smith, 2017], tốc độ học tăng sau từng bước, ở đây từ 0.001 đến 10 trong một epoch, còn ta theo
# dõi mất mát. Phép thử của ta đánh dấu chỗ mất mát bắt đầu giảm (đã giảm được một phần mười của cả
# mức giảm) và chỗ nó tăng trở lại (cao hơn mức thấp nhất từ đầu đến đó một phần mười của mức giảm,
# dù về sau có thể còn xuống thấp hơn). Tốc độ học được gợi ý nằm giữa hai tốc độ học: chỗ mất mát
# của hạt giống cuối cùng bắt đầu giảm, và chỗ mất mát của hạt giống đầu tiên tăng trở lại; nó là
# căn bậc hai của tích hai tốc độ học ấy. Đây là năm hạt giống (`lrs.range_test` làm việc này với
# mạng bất kỳ):

# %%
words.print(tested)
words.figure(drawing.range_test(tested))

# %% [markdown]
# Nó gợi ý 0.044. Với tám trong mười một bộ định thời, như thế là quá thấp. Với ba bộ thì chưa ngã
# ngũ, vì ta chưa thử đỉnh nào giữa 0.03 (cũng quá thấp với ba bộ ấy) và 0.1 (là đỉnh tốt). Chưa thể
# nói nó tốt cho bộ nào: hãy coi tốc độ học của phép thử là chỗ để bắt đầu, không phải là lựa chọn.

# %% [markdown]
# ## Tóm tắt
#
# - Bộ định thời là một hàm từ số bước cập nhật ra tốc độ học. Hãy viết nó như một hàm thuần túy:
#   gọi bao nhiêu lần, theo thứ tự nào cũng cho cùng một giá trị.
# - Trước khi tin một đường cong, hãy hỏi trục hoành đếm gì. MXNet đếm bước cập nhật; sách hiểu là
#   epoch; hai bên chênh nhau 235 lần.
# - Đừng vẽ rồi huấn luyện với cùng một đối tượng có trạng thái.
# - Tốc độ học giảm dần thì khoảng cách do quá khớp hẹp lại, nhưng "ít quá khớp" chưa phải là "tốt
#   hơn".
# - Khi tốc độ học đã giảm xuống, độ chính xác kiểm tra mới ổn định lại; trước đó, kết quả một phần
#   là do may rủi.
# - Đã huấn luyện mà mất mát vẫn đứng ở $\ln 10$, độ chính xác vẫn là 0.1: mạng đã sụp đổ, không
#   phải học kém. Tốc độ học quá cao là thủ phạm thường gặp; khởi động bảo vệ những bước đầu, và chỉ
#   những bước ấy.
# - Trong bối cảnh của sách, cô-sin có khởi động, khi được đọc theo epoch như ý định của sách, nằm
#   trong số những bộ định thời tốt nhất, nếu mạng không sụp đổ.
# - Hãy so các bộ định thời khi mỗi bộ có đỉnh riêng, chọn bằng những ảnh không thuộc tập kiểm tra.
#   Ở đây phần lớn những bộ giảm dần kết thúc với độ chính xác kiểm tra cao hơn tốc độ học cố định,
#   và một phần đáng kể của cái lợi ấy là do chúng chỉ đi một bước nhỏ ở minibatch cuối epoch, vốn
#   ít ảnh.
# - Một hạt giống là hai hạt giống: của trọng số và của thứ tự. Những lần chạy chung một trong
#   hai thì không độc lập.
# - Một lần chạy chỉ là chuyện cá biệt, chưa phải bằng chứng. Hãy chạy với nhiều hạt giống, và khi
#   số liệu chưa đủ để kết luận thì hãy nói rõ.
#
# ## Đọc tiếp
#
# - [Gọt gradient](gradient_clipping_vi.ipynb): một cách khác để huấn luyện ở tốc độ học cao mà mạng
#   không sụp đổ.
# - [Bài tập](exercises_vi.ipynb) của mục này, kèm lời giải bằng số liệu thực nghiệm.
# - `d2l-lrsched explore` mở một trang trong trình duyệt để kéo thanh trượt và xem mọi bộ định
#   thời.
#
# ## Nguồn
#
# - A. Zhang, Z. Lipton, M. Li, A. Smola. *Đắm mình vào Học Sâu*, bản MXNet, mục 11.15: [tiếng
#   Việt](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html), [tiếng
#   Anh](https://d2l.ai/chapter_optimization/lr-scheduler.html), ở đó là 12.11.
# - I. Loshchilov, F. Hutter (2016). *SGDR: Stochastic gradient descent with warm restarts*.
#   [arXiv:1608.03983](https://arxiv.org/abs/1608.03983)
# - L. N. Smith (2017). *Cyclical learning rates for training neural networks*.
#   [arXiv:1506.01186](https://arxiv.org/abs/1506.01186)
# - A. Gotmare, N. S. Keskar, C. Xiong, R. Socher (2018). *A closer look at deep learning
#   heuristics: learning rate restarts, warmup and distillation*.
#   [arXiv:1810.13243](https://arxiv.org/abs/1810.13243)
# - P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. G. Wilson (2018). *Averaging weights
#   leads to wider optima and better generalization*.
#   [arXiv:1803.05407](https://arxiv.org/abs/1803.05407)
# - H. Xiao, K. Rasul, R. Vollgraf (2017). *Fashion-MNIST*.
#   [arXiv:1708.07747](https://arxiv.org/abs/1708.07747)
