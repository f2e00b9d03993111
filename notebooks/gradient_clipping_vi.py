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
# # Gọt gradient: đo rồi hãy tin
#
# [English](gradient_clipping_en.ipynb)
#
# Cả buổi huấn luyện êm ả có thể hỏng chỉ vì một minibatch xấu. Gọt gradient (*gradient clipping*)
# là hàng rào đơn giản nhất: gradient dài quá thì rút ngắn lại. Notebook này giải thích vì sao và
# bằng cách nào, rồi làm một việc ít ai chịu làm: lấy những khẳng định của một bài báo tiếng Việt
# về gọt gradient và bộ định thời tốc độ học (tên bài ở mục *Nguồn*), đổi từng lời khen chê thành
# một đại lượng đo được, và đem đối chiếu với các lần huấn luyện đã ghi lại.
#
# **Bạn sẽ học** cách gọt gradient theo chuẩn và đặt phép gọt đúng chỗ trong vòng lặp; cách chọn
# ngưỡng theo một quy tắc; và cách đổi một khẳng định bằng lời thành một phép kiểm định. **Bạn cần
# biết** SGD, LeNet và notebook [Định thời tốc độ học](lr_scheduling_vi.ipynb). **Thời gian:**
# khoảng 90 phút. Chỉ một ô ở mục 8 là huấn luyện thật, trong hai epoch; những ô còn lại đọc số liệu
# đã ghi hoặc tính vài giây là xong.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import math
from itertools import islice
from statistics import median

import mxnet as mx
import pandas as pd
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np, npx

import d2l_lrsched as lrs
from d2l_lrsched.runs import frames, record
from d2l_lrsched.studies.clipping import claims, descent, figures, tables, verdicts
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, COLLAPSE, HIGH_RATE
from d2l_lrsched.studies.clipping.measures import MEASURES, measure
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("vi")
ARMS = (*claims.ARMS, claims.LOWER)
runs = record.read("../figures/clipping/runs.jsonl")
words.print(len(runs), "runs of", ", ".join(dict.fromkeys(run.experiment for run in runs)))

# %% [markdown]
# ## 1. Một minibatch đủ sức ném tham số đi thật xa
#
# Mỗi bước cập nhật của SGD là
#
# $$\theta \leftarrow \theta - \eta \, g ,$$
#
# tức một bước dài $\eta \lVert g \rVert$. Tốc độ học $\eta$ do ta chọn, còn độ dài của gradient
# $g$ thì do dữ liệu quyết định. Mà gradient chỉ biết *tại đây* dốc bao nhiêu, chứ không biết con
# dốc kéo dài đến đâu. Nơi bề mặt hàm mất mát dựng đứng như vách đá, $\lVert g \rVert$ cực lớn, và
# bước nhảy sau đó rơi xuống một chỗ xa lắc, nơi mọi điều đã học chẳng còn giá trị.
#
# Pascanu, Mikolov và Bengio (2013) mô tả chuyện này ở mạng nơ-ron truy hồi (RNN): ở mọi bước thời
# gian, gradient được nhân với cùng một ma trận, nên tích ấy hoặc teo đi, hoặc phình ra theo hàm mũ.
# Phình ra chính là *bùng nổ gradient* (*exploding gradient*).
#
# LeNet không nhân lặp đi lặp lại một ma trận nào, nhưng một bước quá dài vẫn có thể đánh bật nó.
# Sau bước ấy, đầu ra của cả một tầng relu có thể bằng 0 với mọi ảnh. Ở đâu relu bằng 0 thì ở đó
# gradient của nó cũng bằng 0, nên hầu như không còn gì dẫn đường quay về. Khi đó mạng chấm cho mọi
# ảnh cùng một bộ điểm: mất mát bằng $\ln 10$, độ chính xác 0.1. Ta gọi một lần huấn luyện là **sụp
# đổ** nếu khi kết thúc, mọi ảnh kiểm tra đều nhận cùng một bộ điểm (điểm của cùng một lớp ở hai ảnh
# bất kỳ chênh nhau chưa tới 0.01). Khi đếm, lần chạy nào tính ra số không còn hữu hạn cũng được kể
# là sụp đổ.
#
# Gradient lớn đến cỡ nào? Trong một đợt chạy thăm dò (*pilot*), ta huấn luyện LeNet hai epoch với
# tốc độ học cố định 0.5, không gọt, và đo chuẩn toàn cục của gradient ở từng bước cập nhật.

# %%
for outcome in ("trained", "collapsed"):
    pilot = [run for run in runs if run.experiment == "pilot" and run.outcome == outcome]
    largest = [max(epoch.norm_max for epoch in run.epochs) for run in pilot]
    times = [run.epochs[0].norm_max / run.epochs[0].norm_median for run in pilot]
    words.print(f"{len(pilot)} runs that {outcome}:")
    words.print(f"  largest gradient norm: {min(largest):.1f} to {max(largest):.1f}")
    words.print(f"  in the first epoch {min(times):.0f} to {max(times):.0f} times the median norm")

# %% [markdown]
# Ngay cả khi mọi việc suôn sẻ, vẫn có những gradient dài gấp nhiều lần mức bình thường. Nhưng hãy
# so dòng chuẩn lớn nhất của hai nhóm: hai khoảng giá trị chồng lên nhau. Gradient dài thì nguy
# hiểm, song chỉ nhìn độ dài ấy thì chưa biết mạng nào sẽ sụp đổ. (Những tỷ số lớn nhất là của các
# mạng đã sụp đổ hoặc mãi chưa chịu học: chúng gần như không có gradient, nên chuẩn bình thường của
# chúng rất bé.)

# %% [markdown]
# ## 2. Hai cách gọt
#
# **Theo chuẩn toàn cục** (*global norm*). Ghép gradient của mọi tham số thành một vector dài $g$;
# nếu chuẩn của nó vượt ngưỡng $c$ thì rút ngắn lại:
#
# $$g \leftarrow \begin{cases} g & \lVert g \rVert \le c \\
# \dfrac{c}{\lVert g \rVert} \, g & \lVert g \rVert > c \end{cases}
# \qquad \lVert g \rVert = \sqrt{\textstyle\sum_i g_i^2}$$
#
# Hướng giữ nguyên, và không bước nào dài hơn $\eta c$.
#
# **Theo giá trị.** Gọt riêng từng thành phần: $g_i \leftarrow \min(\max(g_i, -c), c)$. Hướng thay
# đổi ra sao, cứ nhìn một vector hai chiều là rõ:

# %%
gradient = np.array([3.0, 0.5])
by_norm, by_value = gradient.copy(), gradient.copy()
lrs.clip_global_norm([by_norm], max_norm=1.0)
lrs.clip_value([by_value], max_value=1.0)
rows = []
for name, g in {"as it is": gradient, "by norm": by_norm, "by value": by_value}.items():
    g1, g2 = g.tolist()
    angle = math.degrees(math.atan2(g2, g1))
    rows.append((name, f"({g1:.3f}, {g2:.3f})", f"{math.hypot(g1, g2):.3f}", f"{angle:.1f}°"))
words.table(pd.DataFrame(rows, columns=["clipped", "gradient", "norm", "angle"]))

# %% [markdown]
# Gọt theo chuẩn thu nhỏ cả hai thành phần theo cùng một tỷ lệ nên góc không đổi. Gọt theo giá trị
# chỉ cắt thành phần lớn, và mũi tên ngả về phía đường chéo. Nó vẫn chỉ xuống dốc, vì không thành
# phần nào đổi dấu, nhưng không còn theo hướng dốc nhất. Bài báo chọn gọt theo chuẩn (mục 3.1 của
# bài), và từ đây trở đi ta cũng vậy.

# %% [markdown]
# ## 3. Ngưỡng là ngưỡng của gradient trung bình
#
# Trong Gluon, hàm mất mát trả về một vector, mỗi mẫu một số, nên `backward()` để lại *tổng*
# gradient của cả minibatch; mãi đến `trainer.update(batch_size)` mới có phép chia. Gọt gradient lại
# đứng giữa hai việc đó. Ai đem tổng so thẳng với $c$ là đã dùng một ngưỡng chặt gấp $n$ lần dự
# định, với $n$ là kích thước minibatch, và ngưỡng ấy thay đổi theo $n$. Ngay trong một epoch cũng
# vậy: 60000 không chia hết cho 256, minibatch cuối chỉ có 96 mẫu.
#
# Vì thế các hàm của ta nhận thêm kích thước minibatch; chuẩn và ngưỡng luôn là của gradient trung
# bình:

# %%
for n in (256, 60000 % 256):
    total = n * np.array([3.0, 4.0])  # the sum over n examples; their mean has norm 5
    norm = lrs.clip_global_norm([total], max_norm=1.0, batch_size=n)
    g1, g2 = (total / n).tolist()
    words.print(f"{n} examples: norm {float(norm):.3f}, clipped mean gradient ({g1:.3f}, {g2:.3f})")

# %% [markdown]
# Hai minibatch có cùng gradient trung bình, và sau khi gọt vẫn như nhau. Trong vòng lặp của bạn,
# hãy viết `X.shape[0]`, đừng viết 256.

# %% [markdown]
# ## 4. Khi gradient không còn hữu hạn
#
# Chỉ cần một phép tính tràn số là gradient có inf (vô cùng) hoặc nan (không phải số). Co ngắn lại
# cũng không cứu được: $c / \infty = 0$, mà $0 \cdot \infty$ lại là nan. Tệ hơn, điều kiện nan > c
# không bao giờ đúng (giá trị luôn là *false*), nên đoạn mã gọt cẩu thả sẽ lặng lẽ cho nan đi qua;
# chỉ sau một bước cập nhật nó đã nằm trong tham số, và chẳng mấy chốc mạng chỉ còn cho ra nan. Gói
# phần mềm cho bạn hai lựa chọn:

# %%
broken = np.array([1.0, math.inf, 2.0])
try:
    lrs.clip_global_norm([broken], max_norm=1.0)
except FloatingPointError as error:
    words.print(f"raise: {error}; the gradient stays {broken.tolist()}")
norm = lrs.clip_global_norm([broken], max_norm=1.0, nonfinite="skip")
words.print(f"skip: norm {float(norm)}, the gradient becomes {broken.tolist()}")

# %% [markdown]
# `raise` dừng lại, chỉ đích danh mảng bị hỏng và không đụng vào gì cả. `skip` đặt toàn bộ gradient
# bằng 0; với SGD thuần, thế nghĩa là bỏ qua bước cập nhật đó. Trong `lrs.train`, gradient hỏng
# không bao giờ tới được tham số: với `nonfinite="raise"` (mặc định), việc huấn luyện dừng kèm thông
# báo lỗi ngay khi các chuẩn được đọc, tức cứ 50 minibatch một lần; với `"skip"`, nó chạy tiếp và
# đếm số bước đã bỏ.

# %% [markdown]
# ## 5. Chỗ đứng của phép gọt trong vòng lặp
#
# `trainer.step` làm liền hai việc: cộng gradient của mọi thiết bị rồi cập nhật tham số. Phép gọt
# phải chen vào giữa, nên ta gọi riêng từng việc theo thứ tự: `backward`, `allreduce_grads`, gọt,
# `update`. Nếu gọt trước khi cộng, mỗi thiết bị chỉ đem phần riêng của mình ra so với ngưỡng. Bài
# báo coi việc chỉnh tốc độ học là một bước riêng; trong Gluon, Trainer tự hỏi bộ định thời ngay
# trong `update`. Tốc độ học 0.5 và ngưỡng 0.7 là của thí nghiệm dưới đây; [mục
# 7](#7.-Ngưỡng-được-chọn-ra-sao) cho biết ngưỡng được chọn như thế nào.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
net, ctx, loss = lrs.fast_lenet(), d2l.try_gpu(), gluon.loss.SoftmaxCrossEntropyLoss()
mx.random.seed(0)
net.initialize(mx.init.Xavier(), ctx=ctx)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": HIGH_RATE})

# %%
for X, y in islice(train_iter, 8):
    X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
    with autograd.record():
        losses = loss(net(X), y)
    losses.backward()
    trainer.allreduce_grads()
    gradients = [p.grad(ctx) for p in net.collect_params().values() if p.grad_req != "null"]
    norm = lrs.clip_global_norm(gradients, CLIP_NORM, X.shape[0])
    applied = lrs.global_norm(gradients, X.shape[0])
    trainer.update(X.shape[0])
    words.print(f"gradient norm {float(norm):.2f}, applied {applied:.2f}")

# %% [markdown]
# Mấy gradient đầu tiên đủ ngắn nên được giữ nguyên. Ngay khi mạng bắt đầu học, gradient dài ra, và
# gradient được áp dụng có chuẩn đúng bằng ngưỡng.
#
# Gọt không miễn phí: muốn tính chuẩn phải đọc mọi phần tử của mọi gradient. Theo [phép đo tốc
# độ](../figures/speed/README.md) của ta, có gọt thì một epoch của mạng này lâu hơn 10 % (trung vị
# của 6 cặp epoch; chênh lệch của từng cặp trải từ -9 % đến 21 %).

# %% [markdown]
# ## 6. Bài toán hai trọng số
#
# Thí nghiệm đầu tiên của bài báo nhỏ đến mức không thể nhỏ hơn: cực tiểu hóa $L = w_1^2 + w_2^2$.
# Gradient là $2w$, nên mọi điểm đều nằm trên đường thẳng nối điểm xuất phát với cực tiểu, và bước
# nào cũng tính trước được. Không gọt thì mỗi bước nhân $w$ với $1 - 2\eta$:
#
# $$\eta = 0.4: \; 0.2 \qquad \eta = 0.9: \; -0.8 \qquad \eta = 1.1: \; -1.2$$
#
# Trường hợp đầu lao nhanh về đích; trường hợp hai nhảy qua nhảy lại nhưng rồi cũng tới; trường hợp
# ba chạy ra vô cùng. Có gọt thì bước nào cũng dài $\eta c$, cho đến khi gradient không còn dài hơn
# $c$, ở đây là 1.

# %%
descents = descent.descents()
words.figure(figures.quadratic(descents))

# %% [markdown]
# Hàng trên là đường đi, 40 bước từ $(3, 5)$; các điểm cách xa nhau nghĩa là bước dài. Bên trong
# vòng tròn chấm nhỏ, gradient ngắn hơn ngưỡng nên không có gì để gọt. Hai hàng dưới, trên thang
# logarit, là chuẩn của gradient trước khi gọt và giá trị mất mát. Khi mất mát đã xuống dưới đường
# gạch chấm, 0.001, và ở lại dưới đó, ta coi như nó đã *lắng xuống*.

# %%
words.table(tables.descent_table(descents))

# %% [markdown]
# Bảng trong bài báo chỉ có hai hàng. Không gọt: chuẩn "> 10", nhanh nhưng không ổn định. Có gọt:
# chuẩn "= 1", chậm mà ổn định. Đặt cạnh số đo:
#
# - **Nhanh hay chậm là do tốc độ học.** Ở 0.4, không gọt vừa nhanh vừa ổn định, gọt chỉ làm chậm
#   thêm. Ở 0.9, có gọt lại lắng xuống sớm hơn. Ở 1.1, bài báo nói đúng về phía không gọt: quả là
#   mất ổn định.
# - **Bằng 1 là chuẩn của gradient *được áp dụng*.** Bản thân gradient lúc xuất phát dài như nhau,
#   gọt hay không cũng thế: gọt đổi bước đi chứ không đổi địa hình. Và ở gần cực tiểu, gradient
#   được áp dụng còn ngắn hơn 1.
# - **Ở 1.1, gọt giữ cho tham số không chạy ra vô cùng, nhưng không làm nó hội tụ.** Trong vòng tròn
#   chấm, mỗi bước nhân tham số với $-1.2$ nên nó văng ra; ra ngoài rồi thì bước nào cũng dài $\eta
#   c$, nhảy qua vòng tròn sang phía bên kia, rồi lại nhảy về.

# %%
leashed = descents[-1]  # the highest rate, with clipping
words.print("w1 at the last steps:", ", ".join(f"{w1:+.3f}" for w1, _ in leashed.weights[-6:]))
farthest = (leashed.learning_rate - 0.5) * leashed.clip_norm
distances = [math.hypot(*weights) for weights in leashed.weights[-6:]]
words.print(f"largest distance to 0 among them {max(distances):.3f}, bound {farthest:.3f}")

# %% [markdown]
# Tham số cứ nhảy mãi quanh cực tiểu, từ đó không bao giờ cách xa quá $(\eta - \tfrac{1}{2}) \, c$.
# Gọt gradient là sợi dây buộc chứ không phải thuốc chữa: muốn tới đích, tốc độ học phải giảm. Đó là
# việc của bộ định thời, và là lý do hai thứ nên đi cùng nhau.

# %% [markdown]
# ## 7. Ngưỡng được chọn ra sao
#
# Thử mười ngưỡng rồi báo cáo cái đẹp nhất thì chỉ đo được sự kiên nhẫn của chính mình. Vì vậy quy
# tắc chọn được định sẵn trước khi chạy: trong đợt *thăm dò* với tốc độ học cố định 0.5, đo mọi
# chuẩn mà không gọt gì (ngưỡng đặt cao đến mức không một bit nào thay đổi); với mỗi lần chạy lấy
# chuẩn trung vị ở epoch cuối, tức epoch thứ hai; bỏ những lần sụp đổ, vì chuẩn của mạng sụp đổ
# không nói lên điều gì; rồi lấy trung vị qua các lần chạy, làm tròn còn một chữ số. Nhóm Pascanu
# cũng khuyên nhìn vào chuẩn trung bình. Đợt thăm dò dùng hạt giống ngẫu nhiên riêng, về sau không
# dùng lại.
#
# Trong bảng, hai chuẩn là của những lần học được.

# %%
words.table(tables.pilot_table(runs))

# %% [markdown]
# Quy tắc này bảo đảm ngưỡng được chọn một cách trung thực, chứ không hứa rằng ngưỡng ấy tối ưu. Ta
# chưa thử ngưỡng nào khác.

# %% [markdown]
# ## 8. Xem tận mắt
#
# Ô kế tiếp tìm trong số liệu đã ghi hạt giống đầu tiên mà mạng sụp đổ ở tốc độ học 0.5 khi không
# gọt, rồi in độ chính xác kiểm tra sau từng epoch trong mười epoch: không gọt (*neither*) và có gọt
# (*clipping*).

# %%
by_name = {(run.experiment, run.seed): run for run in runs}
lost = [run.seed for run in runs if run.experiment == "neither" and run.outcome == "collapsed"]
for name in ("neither", "clipping"):
    run = by_name[name, lost[0]]
    accuracies = ", ".join(f"{epoch.test_acc:.3f}" for epoch in run.epochs)
    words.print(f"{name}, seed {run.seed}: {run.outcome}, test accuracies {accuracies}")

# %% [markdown]
# Giờ bạn hãy tự huấn luyện lại lần chạy thứ hai trong số đó, trong hai epoch: cùng hạt giống, cùng
# tốc độ học, có gọt. Trên bộ xử lý cùng loại và chỉ dùng một luồng, như khi ghi số liệu, bạn sẽ
# được đúng các con số đã ghi; ở máy khác, các tổng được làm tròn khác đi, quá trình huấn luyện
# khuếch đại chênh lệch ấy, và bạn sẽ thấy một kết quả khác, như thể đổi hạt giống.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256, seed=lost[0])
net = lrs.fast_lenet()
net.initialize(ctx=ctx)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": HIGH_RATE})
mx.random.seed(lost[0])
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx, clip_norm=CLIP_NORM)

# %%
for number, epoch in enumerate(history.epochs, start=1):
    norms = f"median norm {epoch.norm_median:.2f}, largest {epoch.norm_max:.2f}"
    words.print(f"epoch {number}: {epoch.clipped:.0%} of the updates clipped, {norms}")

# %% [markdown]
# Trong epoch đầu, gần như bước cập nhật nào cũng bị gọt. Hay chỉ hạt giống này mới thế? Số liệu có
# đủ mọi hạt giống: trước hết là tỷ lệ bị gọt theo từng epoch (trung vị qua các hạt giống), sau đó
# là bảng của toàn bộ quá trình. Ở đó *phần còn lại của bước* là trung bình của $\min(1, c / \lVert
# g \rVert)$ (dấu gạch là không ghi lại), hai chuẩn là chuẩn trước khi gọt, và các bước bị bỏ là
# những bước có gradient không hữu hạn. (*both* và *pilot-clipped* được giới thiệu ở mục 9,
# *rate-0.3-clipped* ở mục 11.)

# %%
for name in ("clipping", "both"):
    by_epoch = zip(*(run.epochs for run in runs if run.experiment == name))
    shares = [median(epoch.clipped for epoch in epochs) for epochs in by_epoch]
    shown = (f"{share:.0%}" for share in shares)
    words.print(f"{name}, clipped in epochs 1 to {len(shares)}:", *shown)
words.table(tables.clipped_table(runs))

# %% [markdown]
# Phép gọt ở đây không phải chiếc túi khí lâu lâu mới bung một lần. Lúc đầu, nó can thiệp gần như ở
# mọi bước: dốc đến mấy, bước cũng chỉ dài $\eta c$. Nó giống biển giới hạn tốc độ hơn: ở đoạn
# gradient dài, nó có tác dụng như một tốc độ học nhỏ hơn, gần giống khởi động (*warmup*). Về sau
# tỷ lệ giảm dần nhưng không về 0; lấy chuẩn trung vị làm ngưỡng thì phải như vậy thôi.
#
# Bài báo nói rằng gọt làm mất thông tin về độ lớn của gradient (mục 5.1). Ở đây ta thấy điều ấy
# nghĩa là gì. Một gradient bị gọt chỉ còn giữ được hướng. Không gọt thì gần cực tiểu, nơi bề mặt
# mất mát phẳng dần, bước tự ngắn lại; có gọt thì không, cho đến khi chuẩn nhỏ hơn $c$. Cái mất đi
# là tin báo rằng cực tiểu đã gần. Mất như vậy có hại gì không, các mục sau sẽ xét.

# %% [markdown]
# ## 9. Bốn cách kết hợp
#
# Bài báo xếp hạng bốn cách bằng lời: không dùng gì (*neither*), chỉ gọt (*clipping*), chỉ bộ định
# thời (*scheduler*), và cả hai (*both*). Ta huấn luyện LeNet trên Fashion-MNIST theo cả bốn cách,
# mỗi lần mười epoch, với cùng 40 hạt giống. Tốc độ học cố định là 0.5; bộ định thời thì khởi động
# lên 0.5 trong một phần mười đầu của tổng số bước cập nhật, rồi suy giảm theo cô-sin về 0. Ta thêm
# một cách thứ năm, *lower-rate*: không gọt, tốc độ học cố định 0.44. Ở 0.5, tính trung bình, phép
# gọt rút ngắn các bước đi bao nhiêu phần thì tốc độ học này thấp hơn 0.5 bấy nhiêu phần (mười lần
# chạy *clipping* với hạt giống khác, gọi là *pilot-clipped*, đã đo trước điều đó). Nhờ nó, ta sẽ
# thấy phép gọt làm được điều gì mà chỉ hạ tốc độ học thì không làm được.
#
# ### Các bộ định thời của bài báo
#
# Bài báo viết ba công thức (mục 3.2), trong đó $t$ và $T$ đếm *epoch*: khởi động trong
# $T_{\text{warm}}$ epoch, cô-sin, và đường thẳng,
#
# $$\eta_t = \eta_{\max} \frac{t}{T_{\text{warm}}}, \qquad
# \eta_t = \eta_{\min} + \frac{\eta_{\max} - \eta_{\min}}{2}
# \left(1 + \cos\frac{\pi t}{T}\right), \qquad
# \eta_t = \eta_{\max}\left(1 - \frac{t}{T}\right).$$
#
# Có hai điều chưa nói rõ. *Bao lâu thì đọc $t$ một lần?* Nếu mỗi epoch đọc một lần, khởi động bắt
# đầu bằng trọn một epoch ở $t = 0$, tức là với tốc độ học 0. Ta đọc ở mỗi bước cập nhật. *Sau khi
# khởi động, $t$ đếm từ đâu?* Nếu cứ đếm tiếp, cô-sin không bắt đầu ở đỉnh, và tốc độ học tụt xuống
# đột ngột ở chỗ nối. Vậy bộ định thời thứ hai phải đếm từ lúc khởi động xong, và $T$ của nó là phần
# còn lại của lần chạy. `lrs.WarmupScheduler` làm đúng như thế, trước bất cứ bộ định thời nào:

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
peak, total = HIGH_RATE, 10 * per_epoch
linear = lrs.LinearScheduler(total - per_epoch, base_lr=peak, final_lr=0)
cosine = lrs.CosineScheduler(total - per_epoch, base_lr=peak, final_lr=0)
axes = d2l.plt.subplots(figsize=(4.5, 2.5))[1]
for name, schedule in (("linear", linear), ("cosine", cosine)):
    warm = lrs.WarmupScheduler(schedule, warmup_steps=per_epoch)
    axes.plot(range(total), [warm(n) for n in range(total)], label=f"warmup, then {name}")
axes.set(xlabel="update", ylabel="learning rate")
axes.legend()
words.figure(axes.figure)

# %% [markdown]
# Hai cách *scheduler* và *both* dùng cô-sin; ở đây không có lần chạy nào dùng đường thẳng.
#
# ### Đo bằng gì
#
# *Ổn định*, *hội tụ*, *hiệu quả*: còn là lời thì chưa kiểm định được. Thay cho chúng là những đại
# lượng dưới đây; bài báo không cho biết đã đo bằng gì, nên ta phải tự đặt ra các định nghĩa. Sống
# sót và độ gồ ghề đo độ ổn định; số epoch để đạt 0.85 và mất mát cuối cùng đo độ hội tụ; độ chính
# xác kiểm tra đo hiệu quả. Sống sót thì chỉ có hoặc không; mọi đại lượng khác chỉ tính trên những
# lần sống sót, vì lấy trung bình lẫn lộn mạng học được với mạng đoán mò thì được một con số không
# mô tả mạng nào cả.

# %%
rows = [(m.name, m.definition, m.better) for m in MEASURES.values()]
words.table(pd.DataFrame(rows, columns=["measure", "definition", "better"]))

# %% [markdown]
# Mỗi đường cong dưới đây là một lần chạy: hàng trên là mất mát huấn luyện trung bình của từng 50
# minibatch, hàng dưới là độ chính xác kiểm tra sau mỗi epoch. Nét đứt là những lần sụp đổ; mất mát
# vọt quá cao thì ra ngoài hình. (Vài nét liền lúc đầu cũng giống nét đứt: mạng đã sụp đổ vẫn có thể
# học lại được.)

# %%
words.figure(figures.arms(runs))

# %% [markdown]
# Bảng sau đặt lời của bài báo, đúng nguyên văn, cạnh số đo. Cột *sống sót* là số lần sống sót kèm
# khoảng tin cậy 95 % chính xác của tỷ lệ; cột độ chính xác là trung bình ± độ lệch chuẩn; các cột
# khác là trung bình.

# %%
words.table(tables.arm_table(runs))

# %% [markdown]
# Ở những hàng có lần chạy sụp đổ, hãy nhớ rằng các giá trị trung bình chỉ là của những lần sống
# sót. Và hãy nhìn kỹ thêm xem đằng sau chúng là gì. Bảng sau cho mỗi cách và mỗi đại lượng năm số,
# cũng chỉ tính những lần sống sót: nhỏ nhất; mức mà một phần tư số lần chạy nằm dưới; trung vị; mức
# mà một phần tư số lần chạy nằm trên; lớn nhất.

# %%
measured = measure(runs)
rows = [
    (arm, name, *(f"{value:.3f}" for value in of[name].quantile([0, 0.25, 0.5, 0.75, 1])))
    for arm, of in frames.of_each(measured, ARMS).items()
    for name in ("test accuracy", "roughness")
]
header = ("arm", "measure", "least", "a quarter below", "median", "a quarter above", "most")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Độ gồ ghề trung bình cao của nhóm chỉ dùng bộ định thời là do khoảng một phần tư số lần chạy: mất
# mát của chúng vọt lên rồi lại giảm xuống (hãy thử tìm chúng trong hình). Khi gọt thêm thì không
# hạt giống nào vọt lên như thế. Xét trung vị, nhóm này không gồ ghề hơn *neither*, *clipping* và
# *lower-rate*; *both* thì êm hơn. Đại lượng đo đã định từ trước nên các lần chạy ấy vẫn phải giữ;
# nhưng giờ bạn biết giá trị trung bình kia từ đâu mà ra.

# %% [markdown]
# ## 10. Xét từng khẳng định của bài báo
#
# Mỗi khẳng định nói rằng một cách tốt hơn một cách khác, và nhận một trong ba kết luận.
#
# - **ĐƯỢC XÁC NHẬN**: hai cách khác nhau, và đúng chiều bài báo nói.
# - **BỊ BÁC BỎ**: khác nhau theo chiều ngược lại.
# - **CHƯA NGÃ NGŨ**: chừng ấy lần chạy chưa cho thấy sự khác biệt. Điều đó không chứng minh
#   chúng giống nhau.
#
# **Đếm.** Với mỗi cách, ta đếm số lần sống sót, rồi dùng kiểm định chính xác Fisher (*Fisher's
# exact test*) để hỏi: nếu thật ra hai cách như nhau thì hai con số như thế đáng ngạc nhiên đến mức
# nào? Kiểm định này không cần biết lần nào chạy với hạt giống nào.
#
# **Kiểm định đổi dấu** (*sign-flip test*). Với mọi đại lượng khác, ta so hai lần chạy cùng hạt
# giống, tức là cùng tham số ban đầu, cùng thứ tự minibatch, miễn là cả hai đều sống sót. Nếu hai
# cách như nhau thì hiệu số của mỗi cặp mang dấu nào cũng có khả năng như nhau. Vậy ta đổi dấu ngẫu
# nhiên, rất nhiều lần; giá trị p là tỷ lệ những lần có trung bình cách xa 0 ít nhất bằng trung bình
# thực tế. Khoảng tin cậy 95 % cũng lấy từ chính kiểm định này: nó gồm mọi giá trị của hiệu số mà
# kiểm định không bác bỏ. Cần lưu ý: cách nào sụp đổ nhiều hơn thì chỉ còn những lần sống sót để so,
# mà đó có thể là những lần vốn đã tốt hơn.
#
# **Hơn từng cách một.** Khẳng định cuối của bài báo, rằng dùng cả hai thì hiệu quả nhất, thật ra
# gồm ba khẳng định: hơn không dùng gì, hơn chỉ gọt, hơn chỉ dùng bộ định thời. Khẳng định yếu nhất
# trong ba vững đến đâu thì nó vững đến đấy, và bảng chỉ ghi khẳng định yếu nhất ấy.
#
# **Hiệu chỉnh Holm.** Hỏi đủ nhiều câu thì thế nào cũng có câu được may rủi gật đầu; vì thế giá trị
# p nhỏ nhất trong $m$ số được nhân với $m$, số kế tiếp nhân với $m - 1$, cứ thế tiếp tục, và không
# số nào được nhỏ hơn số đứng trước. Giá trị nào sau đó vẫn không quá 5 % thì mới đủ để xác nhận hay
# bác bỏ; nhờ vậy, xác suất lỡ thấy khác biệt, dù chỉ một lần, ở nơi thật ra không có khác biệt
# cũng không quá 5 %.
#
# Các quy tắc này được định ra khi đã thấy kết quả của mười trong 40 hạt giống. Vì vậy cột cuối chỉ
# xét 30 hạt giống còn lại; chỗ nào hai kết luận khác nhau thì chỉ kết luận ở cột cuối có giá trị.
# Trước đó, với mười hạt giống, hầu như không kết luận được gì: phải cả mười cặp đều nghiêng về một
# phía thì $p = 2/2^{10} \approx 0.0020$ mới vừa đủ nhỏ so với mức $0.05/18 \approx 0.0028$ mà 18
# khẳng định đòi hỏi; chín cặp thì đã không đủ.
#
# Trong bảng, cột *so sánh* ghi cách được cho là tốt hơn trừ cách kia; *n* là số cặp, riêng khi đếm
# số lần sống sót thì là số lần chạy của mỗi cách; khoảng tin cậy 95 % của hiệu chưa hiệu chỉnh theo
# số khẳng định. Với độ gồ ghề, độ dao động, số epoch, mất mát và độ quá khớp, hiệu âm ủng hộ khẳng
# định.

# %%
judged = verdicts.judge(runs)
unseen = [run for run in runs if run.seed >= verdicts.UNSEEN]
by_unseen = verdicts.judge(unseen)
words.print("all seeds:", verdicts.counts(judged))
words.print("unseen seeds:", verdicts.counts(by_unseen))
words.table(tables.claim_table(judged, by_unseen))

# %% [markdown]
# Nói thẳng ra, số liệu cho biết:
#
# - **Gọt ngăn được sụp đổ.** Trong 40 lần chạy, không dùng gì thì 19 lần sụp đổ, có gọt thì không
#   lần nào. Và trong những lần sống sót, các lần có gọt đạt mốc 0.85 sớm hơn, kết thúc với mất mát
#   huấn luyện thấp hơn và phân loại tốt hơn.
# - **Bài báo tự mâu thuẫn.** Mục 4.2 viết rằng gọt làm chậm hội tụ, bảng ở mục 4.4 lại cho rằng gọt
#   hội tụ tốt hơn không dùng gì. Số liệu ở đây xác nhận bảng 4.4, theo cả hai đại lượng đo độ hội
#   tụ.
# - **Chỉ dùng bộ định thời thì kém ổn định hơn chỉ gọt**, chứ không phải ổn định hơn như trong
#   bảng: 10 trong 40 lần chạy đã sụp đổ. Đo bằng độ gồ ghề thì chưa ngã ngũ.
# - **Hiệu quả như nhau** là lời của bài báo về hai cách này. Trong những lần sống sót, bộ định thời
#   phân loại tốt hơn một chút; nhưng một phần tư số lần chạy của nó đã sụp đổ. Một chữ chung cho cả
#   hai đã che mất điều đó.
# - **Dùng cả hai** thì ổn định hơn chỉ dùng bộ định thời: không lần nào sụp đổ, mất mát cũng ít gồ
#   ghề hơn. Còn có phân loại tốt hơn hay không thì chưa ngã ngũ, nên cũng chưa thể nói dùng cả hai
#   là hiệu quả nhất: hãy nhìn khoảng tin cậy, nếu có khác thì cũng chỉ khác rất ít. Đã có bộ định
#   thời thì gọt thêm là để mạng không sụp đổ hơn là để tăng độ chính xác.
# - **Giai đoạn cuối, bộ định thời làm giảm dao động**: được xác nhận. (Hãy nhìn bảng các cách: chỉ
#   gọt thì độ chính xác cũng ổn định lại, điều mà bài báo không nói tới.) Còn nó có bớt quá khớp,
#   có làm đường cong mượt hơn không thì chưa ngã ngũ.
#
# Khoảng tin cậy có thể không chứa 0 mà kết luận vẫn là CHƯA NGÃ NGŨ: khoảng tin cậy nhìn mỗi
# khẳng định như thể chỉ có một mình nó; còn kết luận phải chịu trách nhiệm cho tất cả.

# %% [markdown]
# ### Gọt, hay chỉ cần tốc độ học nhỏ hơn?
#
# Bài báo không hỏi, nhưng bạn nên hỏi: ở tốc độ học này, hơn một nửa số bước cập nhật đã bị phép
# gọt làm ngắn lại. Chỉ hạ tốc độ học xuống thì có được kết quả tốt như vậy không?

# %%
asked = (verdicts.judge(of, claims.ASKED) for of in (runs, unseen))
words.table(tables.claim_table(*asked))

# %% [markdown]
# Đo bằng gì thì gọt cũng hơn. Với tốc độ học nhỏ hơn, 8 trong 40 lần chạy đã sụp đổ, và những lần
# sống sót phân loại kém hơn. Vậy gọt không phải là một cách hạ tốc độ học trá hình. Hạ tốc độ học
# thì mọi bước đều ngắn lại như nhau; còn gọt chỉ rút ngắn những bước dài, các bước khác giữ nguyên.

# %% [markdown]
# ## 11. Mạng nào sụp đổ, và cái gì cứu chúng
#
# Cùng một hạt giống sụp đổ khi không có biện pháp nào: có biện pháp thì sao? Chỉ những hạt giống
# sụp đổ ở khung ngoài cùng bên trái mới được tô màu. Ở tốc độ học cố định 0.3 của sách, tốc độ mà ở
# đó lần chạy in trong sách đã sụp đổ, cả 20 hạt giống ở đây, mỗi hạt giống hai epoch, đều không sụp
# đổ: các lần chạy ấy chỉ có trong bảng dưới đây.

# %%
words.figure(figures.collapse(runs))

# %% [markdown]
# Mỗi thí nghiệm sụp đổ thường xuyên đến đâu? Bảng sau ghi tỷ lệ sụp đổ và khoảng tin cậy 95 % chính
# xác của nó. Đợt thăm dò (*pilot*) giống hệt *neither*, chỉ khác hạt giống và chạy hai epoch; các
# thí nghiệm tên bắt đầu bằng rate-0.3 (để nguyên, có gọt, có khởi động) cũng chạy hai epoch.

# %%
words.table(tables.share_table(runs, ["pilot", *COLLAPSE, *ARMS]))

# %% [markdown]
# Còn khi có biện pháp thì sao? Trong bảng, p là của kiểm định chính xác Fisher; cột cuối là p đã
# hiệu chỉnh Holm theo số hàng. Ở những hàng xét sau hai epoch, *neither* gồm cả các lần chạy thăm
# dò, và *clipping* gồm cả các lần chạy thăm dò có gọt (*pilot-clipped*), vì chúng được huấn luyện
# giống hệt, chỉ khác hạt giống.

# %%
words.table(tables.prevented_table(verdicts.prevented(runs)))

# %% [markdown]
# Ở 0.5, có gọt thì không lần nào sụp đổ, dù có bộ định thời hay không, và điều này đã ngã ngũ, cả
# sau hai epoch lẫn khi kết thúc. Chỉ dùng bộ định thời, hoặc chỉ hạ tốc độ học, thì sụp đổ ít hơn
# không dùng gì; nhưng mỗi cách 40 lần chạy thì chưa cho biết chúng có ngăn được gì không. Cũng
# không phải tại hạt giống: trong 10 hạt giống sụp đổ khi dùng bộ định thời, 6 hạt giống cũng sụp đổ
# khi không dùng gì, gần bằng con số mà may rủi cho ra. Ở 0.3, với 20 hạt giống này và hai epoch,
# chẳng lần nào sụp đổ: lần sụp đổ in trong sách, vốn có thật, ở đây không lặp lại, có biện pháp hay
# không cũng vậy. Không lần nào sụp đổ chưa có nghĩa là không bao giờ: đầu trên của khoảng tin cậy
# cho biết tỷ lệ nào vẫn còn có thể.

# %% [markdown]
# ## 12. Những gì còn bỏ ngỏ
#
# - **Gọt thêm khi đã có bộ định thời.** Nó giữ cho mạng không sụp đổ. Còn với những lần sống sót,
#   nó có tăng thêm độ chính xác không thì 40 hạt giống chưa trả lời được; nếu có thì cũng ít.
# - **Quá khớp và độ mượt.** Bộ định thời có bớt quá khớp, có làm đường cong mượt hơn không, ở đây
#   không thể phân định: thiếu bộ định thời thì quá nhiều lần chạy đã sụp đổ. Muốn hỏi cho đàng
#   hoàng, phải hạ tốc độ học xuống mức không mạng nào sụp đổ.
# - **Vì sao gọt cứu được mạng?** Không phải vì tính trung bình nó hạ tốc độ học. Vì nó chặn bước
#   nhảy khổng lồ hiếm hoi, hay vì lúc đầu nó rút ngắn gần như mọi bước? Một tốc độ học chỉ thấp hơn
#   lúc đầu sẽ cho biết thêm; đoạn khởi động của bộ định thời chính là như thế, mà vẫn có lần chạy
#   sụp đổ.
# - **Ngưỡng khác, mạng khác.** Ta chỉ có một ngưỡng, một tốc độ học, LeNet và mười epoch. Bài báo
#   cho rằng các kỹ thuật này không hợp với mô hình nhỏ (mục 5.3). LeNet là mô hình nhỏ, vậy mà ở
#   tốc độ học này cả hai đều có ích; còn về mô hình lớn, số liệu ở đây không nói lên điều gì.
# - **Lý thuyết.** Zhang và cộng sự (2020) chứng minh: với những hàm có độ cong được phép tăng theo
#   chuẩn của gradient, hạ gradient có gọt có thể nhanh hơn hạ gradient với bất kỳ tốc độ học cố
#   định nào. Mất mát của LeNet có thuộc loại ấy không, ta chưa đo. Bài toán hai trọng số thì quá
#   đơn giản: độ cong ở đâu cũng như nhau.

# %% [markdown]
# ## 13. Câu hỏi suy ngẫm

# %% [markdown] tags=["question"]
# 1. Trong bài toán hai trọng số ở 0.9, có gọt lại lắng xuống sớm hơn. Vì sao ở đó bước *ngắn hơn*
#    lại có lợi? Với những ngưỡng nào thì có gọt lại chậm hơn?
# 2. Nhân hàm mất mát với 10. Các bước của SGD thuần đổi thế nào? Còn SGD mà bước nào cũng bị gọt
#    thì sao?
# 3. Bạn giảm kích thước minibatch còn một nửa. Gradient trung bình dài ra hay ngắn lại, và bạn có
#    giữ nguyên ngưỡng không?
# 4. Giả sử có một biện pháp thì không lần chạy nào sụp đổ. Trong 40 lần không có nó, phải có bao
#    nhiêu lần sụp đổ thì khẳng định về sống sót mới qua được hiệu chỉnh Holm, khi giá trị p của nó
#    là nhỏ nhất trong mục 10? (Hãy dùng `scipy.stats.fisher_exact`.)
# 5. Kiểm định nào *xác nhận* được rằng hai cách hiệu quả ngang nhau, và trước đó bài báo phải cho
#    bạn biết điều gì?
# 6. SGD có động lượng: `nonfinite="skip"` cho gradient bằng 0. Vì sao tham số vẫn dịch chuyển?
# 7. Trong ô huấn luyện thật, hãy nhân `CLIP_NORM` với mười, rồi chia cho mười. Đoán trước tỷ lệ
#    bước bị gọt rồi mới chạy.

# %% [markdown] tags=["answer"]
# **Trả lời câu 1 đến 7.**
#
# 1. Không gọt thì mỗi bước nhảy qua cực tiểu sang phía bên kia, và khoảng cách đến cực tiểu còn 0.8
#    lần khoảng cách cũ. Bước đã gọt thì đi thẳng về phía cực tiểu. Nó ngắn hơn, nhưng không phí
#    đoạn nào. Với ngưỡng nhỏ đến mức đi bằng bước đã gọt tốn nhiều bước hơn nhảy qua nhảy lại, gọt
#    sẽ thua.
# 2. SGD thuần: dài gấp mười, như khi nhân tốc độ học với mười. Có gọt: không đổi, vì chỉ còn lại
#    hướng.
# 3. Trung bình thì dài hơn, vì nhiễu lớn hơn. Quy tắc của notebook, chuẩn trung vị, sẽ nâng ngưỡng
#    lên. Ai giữ nguyên ngưỡng thì gọt nhiều hơn.
# 4. Chín. Chín trong 40 so với không lần nào thì p = 0.0024, tám thì 0.0053; giá trị p nhỏ nhất
#    trong 18 giá trị phải không quá 0.05 / 18 = 0.0028.
# 5. Kiểm định tương đương: hai kiểm định một phía, rằng hiệu lớn hơn -d và nhỏ hơn d. Trước đó bài
#    báo phải nói hiệu d bằng bao nhiêu thì vẫn gọi là bằng nhau.
# 6. Vận tốc không bằng 0: nó được nhân với hệ số động lượng và tiếp tục đẩy các tham số.
# 7. Gấp mười: hầu như không bước nào bị gọt, trừ những bước dài nhất lúc đầu. Một phần mười: gần
#    như bước nào cũng bị gọt, và mỗi bước ngắn đi mười lần, nên trong hai epoch mạng học được ít.

# %% [markdown]
# ## 14. Đọc tiếp
#
# - [Định thời tốc độ học](lr_scheduling_vi.ipynb): các bộ định thời làm gì, và các lần chạy trong
#   sách thật ra đã huấn luyện với tốc độ học nào.
# - [Bài tập](exercises_vi.ipynb) của mục ấy, với lời giải đo được.
#
# ## 15. Nguồn
#
# - *Ứng dụng Gradient Clipping và Learning Rate Scheduler trong huấn luyện mô hình học sâu* (bài
#   báo về gọt gradient, không ghi tác giả, năm và số).
# - Pascanu, Mikolov và Bengio (2013), *On the difficulty of training recurrent neural networks*,
#   [arXiv:1211.5063](https://arxiv.org/abs/1211.5063).
# - Zhang, He, Sra và Jadbabaie (2020), *Why gradient clipping accelerates training: a theoretical
#   justification for adaptivity*, [arXiv:1905.11881](https://arxiv.org/abs/1905.11881).
# - Zhang, Lipton, Li và Smola, *Đắm mình vào Học Sâu*, phần *Định thời tốc độ học*, [bản tiếng
#   Việt dùng MXNet](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html).
# - Xiao, Rasul và Vollgraf, *Fashion-MNIST*, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
# - Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of
#   Statistics 6:65-70. Về đổi dấu: Ernst (2004), *Permutation methods: a basis for exact
#   inference*, Statistical Science 19:676-685.
